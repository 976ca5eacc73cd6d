// What an mbus-send command line asks for, before anything is connected.
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/command.hpp>
#include <mbus/result.hpp>

#include "cli/arguments.hpp"

namespace mbus::tools {

struct planned_message {
    address to;
    bool reliable = false;
    std::vector<command> commands;
};

struct send_plan {
    std::optional<planned_message> message;  // given by words; else by lines
    std::string input;                       // file with lines, "-" for stdin; empty: no lines
    bool json = false;
    bool reliable = false;
    bool each = false;
    bool dry_run = false;
    address lines_to;                        // where command lines go
    std::uint64_t count = 1;
    std::chrono::nanoseconds interval{0};
    std::optional<std::uint64_t> wait_for;
    std::chrono::milliseconds limit{0};
    address as;

    [[nodiscard]] bool many() const noexcept { return count > 1 || !input.empty(); }
};

// Errors: bad_argument for words that don't fit together; bad_address, bad_command, bad_value for
// words outside the grammar.
result<send_plan> make_plan(const arguments& args);

// One line of --lines or --file. Errors as of parse_commands() and json::parse_message().
result<planned_message> message_of_line(const send_plan& plan, std::string_view line);

// Errors: too_large when no datagram holds the message, wherever its receivers are; bad_value as of
// format_message().
result<void> check_message(const send_plan& plan, const planned_message& what);

// The message as it would stand in a datagram, lines ended by LF. Errors as of format_message().
result<std::string> datagram_text(const send_plan& plan, const planned_message& what, std::uint64_t now_ms);

// The same as a JSON line.
result<std::string> json_text(const send_plan& plan, const planned_message& what, std::uint64_t now_ms);

}  // namespace mbus::tools
