// What an mbus-listen command line asks for, before anything is connected.
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/events.hpp>
#include <mbus/result.hpp>

#include "cli/arguments.hpp"
#include "mbus-listen/format.hpp"

namespace mbus::tools {

enum class print_form : std::uint8_t { plain, json, format, raw, exec };

struct listen_plan {
    std::vector<address> addresses;  // entities, or patterns with `monitor` and `peers`
    bool monitor = false;
    bool peers = false;
    print_form form = print_form::plain;
    std::optional<line_format> format;
    std::string exec;
    std::optional<std::uint64_t> count;
    std::optional<std::chrono::milliseconds> limit;
    std::optional<std::chrono::milliseconds> idle;
    std::string commands;  // globs; empty: all
    std::string exclude;
    std::optional<address> from;
    bool stats = false;
    bool no_loss = false;

    // The message without the commands that are not wanted; nothing when none is left.
    [[nodiscard]] std::optional<received_message> wanted(const received_message& message) const;
};

// Errors: bad_argument, bad_address.
result<listen_plan> make_listen_plan(const arguments& args);

}  // namespace mbus::tools
