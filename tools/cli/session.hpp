// A tool's connection to the daemon, and the loop that runs it: until something is done, a limit
// passes, a signal comes or stdout is closed.
//
//     auto session = session::open(args, out, signals);
//     auto me = session->await(session->bus().attach("(module:mbus-send)"), limit);
//
// Thread-safety: one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <mbus/connection.hpp>

#include "cli/arguments.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/signals.hpp"

namespace mbus::tools {

using time_point = std::chrono::steady_clock::time_point;

// What a tool waits for when no --timeout says otherwise: longer than a reliable message takes over
// a bad link, shorter than patience.
inline constexpr std::chrono::milliseconds default_limit{10'000};

enum class ended : unsigned char { done, time_limit, signal, closed };

// One more descriptor that the loop watches.
struct watched_input {
    int fd = -1;
    std::function<void()> readable{};
};

class session {
public:
    // Connects. `prepared` may carry a window and the like; socket and name are filled in.
    static result<session> open(const arguments& args, signals& events, mbus::connect_options prepared = {});

    [[nodiscard]] connection& bus() noexcept { return *connection_; }
    [[nodiscard]] const signals& events() const noexcept { return *events_; }

    // Runs the connection until `done()`, `until`, a signal, or the connection's final end.
    ended run(const std::function<bool()>& done, std::optional<time_point> until, const watched_input& input = {});

    // Waits for an operation. errc::timed_out after the limit, errc::cancelled on a signal.
    template <class T>
    result<T> await(operation<T> under_way, std::chrono::milliseconds limit) {
        const auto end = run([&] { return under_way.done(); }, std::chrono::steady_clock::now() + limit);
        if (under_way.done()) return under_way.wait();
        return failure_of(end, limit);
    }

    // Why the loop ended, as an error. A broken connection: errc::disconnected.
    [[nodiscard]] error failure_of(ended how, std::chrono::milliseconds limit) const;

private:
    session(connection made, signals& events)
        : connection_(std::make_unique<connection>(std::move(made))), events_(&events) {}

    std::unique_ptr<connection> connection_;
    signals* events_;
    error closed_;
};

// The status after a failure: 130 or 143 when a signal was the reason, 0 when stdout was closed.
exit_code report(const output& out, const signals& events, const error& failure);

}  // namespace mbus::tools
