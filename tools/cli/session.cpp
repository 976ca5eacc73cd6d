#include "cli/session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fmt/format.h>
#include <poll.h>

#include "cli/duration.hpp"

namespace mbus::tools {
namespace {

using namespace std::chrono_literals;

// poll() takes an int of milliseconds; longer waits are waited in pieces.
constexpr std::chrono::milliseconds poll_most = 1h;

int poll_timeout(std::optional<time_point> until) {
    if (!until) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp(left, std::chrono::milliseconds{0}, poll_most).count());
}

// Who did not say which daemon may mean another one, such as that of ./dev run.
error with_other_sockets(error failure, bool chosen) {
    if (failure.code == errc::no_daemon && !chosen) failure.text += "; or name the socket of another one: --socket PATH or $MBUS_SOCKET";
    return failure;
}

}  // namespace

result<session> session::open(const arguments& args, signals& events, mbus::connect_options prepared) {
    prepared.socket = args.text("socket").value_or(std::string{});
    if (const auto limit = args.duration("timeout")) {
        prepared.connect_limit = std::clamp(*limit, std::chrono::milliseconds{1}, prepared.connect_limit);
    }
    // The tools keep time themselves; the SDK's own limit must not come first.
    prepared.operation_limit = std::max(prepared.operation_limit, args.duration("timeout").value_or(default_limit) + 5s);
    auto made = connection::connect(prepared);
    if (!made) return with_other_sockets(std::move(made).error(), args.has("socket") || std::getenv("MBUS_SOCKET") != nullptr);
    return session{std::move(*made), events};
}

ended session::run(const std::function<bool()>& done, std::optional<time_point> until, const watched_input& input) {
    for (;;) {
        if (done()) return ended::done;
        if (events_->caught() != 0) return ended::signal;
        if (auto processed = connection_->process(); !processed) {
            if (done()) return ended::done;
            closed_ = std::move(processed).error();
            return ended::closed;
        }
        if (done()) return ended::done;
        if (until && std::chrono::steady_clock::now() >= *until) return ended::time_limit;
        std::array<pollfd, 3> waiting{{{connection_->fd(), POLLIN, 0}, {events_->fd(), POLLIN, 0}, {input.fd, POLLIN, 0}}};
        const int ready = poll(waiting.data(), waiting.size(), poll_timeout(until));
        if (ready < 0 && errno != EINTR) {
            closed_ = {errc::internal, "poll failed"};
            return ended::closed;
        }
        if (ready > 0 && input.fd >= 0 && waiting[2].revents != 0) input.readable();
    }
}

error session::failure_of(ended how, std::chrono::milliseconds limit) const {
    switch (how) {
        case ended::signal: return {errc::cancelled, "interrupted"};
        case ended::time_limit: return {errc::timed_out, fmt::format("no answer within {}; give more time with -W", format_duration(limit))};
        default: return closed_;
    }
}

exit_code report(const output& out, const signals& events, const error& failure) {
    if (events.caught() == SIGINT) return exit_code::interrupted;
    if (events.caught() == SIGTERM) return exit_code::terminated;
    if (out.broken()) return exit_code::ok;
    return out.fail(failure);
}

}  // namespace mbus::tools
