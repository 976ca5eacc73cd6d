// Small questions about text that the reader of session files asks (session_config_parser.hpp).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mbus::protocol {

// Without blanks and tabs at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

// An upper-case word, the form of entry names and scopes; no key looks like this.
[[nodiscard]] bool is_plain_word(std::string_view text) noexcept;

// The text in quotes for an error message, or words that stand for it when it is longer than `longest` or has
// other characters than `allowed`: it could be a key in the wrong place.
[[nodiscard]] std::string shown(std::string_view text, std::string_view allowed, std::size_t longest);

// A number of 1 to `digits_max` decimal digits and nothing else.
[[nodiscard]] std::optional<unsigned long> number(std::string_view text, std::size_t digits_max);

}  // namespace mbus::protocol
