// What most verbs begin with: signals, a connection and perhaps an entity of their own.
//
//     return with_entity(args, out, [&](opened& on) { ...; return exit_code::ok; });
//
// Thread-safety: one thread.
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include <mbus/entity.hpp>

#include "cli/arguments.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"

namespace mbus::tools {

struct opened {
    session& bus;
    entity* me;  // null without an entity
    std::chrono::milliseconds limit;
    output& out;

    // Prints the failure; 130 or 143 after a signal.
    [[nodiscard]] exit_code fail(const error& failure) const { return report(out, bus.events(), failure); }
};

using opened_function = std::function<exit_code(opened&)>;

exit_code with_connection(const arguments& args, output& out, const opened_function& what);

// Attaches --as, or `otherwise`.
exit_code with_entity(const arguments& args, output& out, const opened_function& what, std::string_view otherwise = "(module:mbus)");

}  // namespace mbus::tools
