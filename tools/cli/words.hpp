// The words of a command line as destination and command:
//
//     mbus-send app:b media:audio demo.text '"hi"' 1 2.5 sym '(1 2)' '<AAEC>'
//
// The command is the first word without a colon; `()` is everyone; parentheses are optional.
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <mbus/address.hpp>
#include <mbus/command.hpp>
#include <mbus/result.hpp>

namespace mbus::tools {

struct addressed_words {
    bool has_address = false;
    address destination;
    std::size_t rest = 0;  // index of the first word that is no address
};

// Reads the address words at the beginning. Errors: bad_address with the word.
result<addressed_words> read_address_words(std::span<const std::string> words);

// One address from words that all have to be addresses, e.g. of `mbus peers`; "()" when there are none.
result<address> read_address(std::span<const std::string> words);

// A command name and its arguments, each an RFC 3259 value. Errors: bad_command, bad_value; the text
// says how to quote a string for the shell.
result<command> read_command_words(std::span<const std::string> words);

// `'"hello world"'`: the word that the shell turns into a string value.
[[nodiscard]] std::string quoted_for_shell(std::string_view text);

}  // namespace mbus::tools
