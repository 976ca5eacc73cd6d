// The turns of a connection: reading, writing, calling handlers.
#include "core.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mbus::detail {
namespace {

constexpr int reads_of_a_turn = 16;                   // of what is not for the program; then it gets its turn
constexpr std::size_t write_at_octets = 64 * 1024;    // gathered output that is not kept back
// While the daemon reads slower than the program sends, not every message tries to write.
constexpr std::chrono::milliseconds write_again_after{1};

// Counts the turns that are on the stack, also when a handler throws.
class depth_guard {
public:
    explicit depth_guard(int& depth) noexcept : depth_(depth) { ++depth_; }
    ~depth_guard() { --depth_; }
    depth_guard(const depth_guard&) = delete;
    depth_guard& operator=(const depth_guard&) = delete;

private:
    int& depth_;
};

}  // namespace

void core::run_until(const bool& done, std::chrono::milliseconds limit) {
    const auto self = shared_from_this();
    if (depth_ == 0) looped_ = false;
    auto now = link_->now();
    const auto end = later(now, limit);
    // What was sent goes out first, and nothing is read that can't be there yet.
    finish_turn(now);
    bool has_read = false;
    while (!done && (state_ != connection_state::closed || !events_.empty())) {
        now = link_->now();
        if (now >= end && has_read) return;
        if (now < end) link_->wait(std::min(end, deadline()));
        turn();
        has_read = true;
    }
}

result<void> core::run(std::chrono::milliseconds limit) {
    stopped_ = false;
    run_until(stopped_, limit);
    if (state_ == connection_state::closed && !orderly_) return closed_reason_;
    return {};
}

result<void> core::process() {
    const auto self = shared_from_this();
    looped_ = true;
    turn();
    if (state_ == connection_state::closed) return closed_reason_;
    return {};
}

result<void> core::flush(std::chrono::milliseconds limit) {
    const auto self = shared_from_this();
    const auto end = later(link_->now(), limit);
    for (;;) {
        write_out();
        if (state_ == connection_state::closed) return closed_reason_;
        if (open_ && session_.output().empty() && link_->waiting() == 0 && session_.unsent() == 0) return {};
        if (link_->now() >= end) {
            return {errc::timed_out, std::to_string(session_.waiting_octets() + link_->waiting()) +
                                         " octets are still waiting for the daemon to read them"};
        }
        // What is to be dispatched has to wait.
        link_->wait(std::min({end, timers_.next(), open_ ? link_->deadline() : never}));
        depth_guard guard{depth_};
        const auto now = link_->now();
        read_in(now, handing::later);
        timers_.run(now);
    }
}

void core::post(std::function<void()> what) {
    events_.push_back({nullptr, {}, std::move(what)});
    if (depth_ == 0) arm();  // a loop that polls has to come round
}

void core::turn() {
    const auto now = link_->now();
    {
        depth_guard guard{depth_};
        read_in(now, handing::now);
    }
    finish_turn(now);
}

// All of a turn but the reading.
void core::finish_turn(clock::time_point now) {
    {
        depth_guard guard{depth_};
        timers_.run(now);
        if (open_) session_.advance(now);
        dispatch();
        write_out();
    }
    if (depth_ > 0) return;
    if (!retired_.empty()) std::exchange(retired_, {}).clear();
    arm();
}

void core::read_in(clock::time_point now, handing how) {
    // What a turn up the stack has not looked at yet, or one that a handler left by throwing.
    if (session_.has_input() && take_frames(now, how)) return;
    for (int i = 0; open_ && i < reads_of_a_turn; ++i) {
        const auto got = link_->read(input_);
        if (got.broken) {
            link_broken();
            return;
        }
        if (got.octets == 0) return;
        session_.feed({input_.data(), got.octets});
        if (take_frames(now, how) || got.octets < input_.size()) return;
    }
}

// Every frame that was fed. True when the program got a message: it may have something to say.
bool core::take_frames(clock::time_point now, handing how) {
    bool handed = false;
    while (open_) {
        const auto stepped = session_.step(now);
        if (stepped == mbws::client_session::stepped::need_more) break;
        if (arrived_.entry) {
            auto arrived = std::exchange(arrived_, {});
            if (how == handing::now && events_.empty()) {
                deliver(*arrived.to, *arrived.entry);
                deliver_more(*arrived.to, *arrived.entry);
                give_entry(std::move(arrived.entry));
                handed = true;
            } else {
                events_.push_back({arrived.to->shared_from_this(), std::move(arrived.entry), nullptr});
            }
        }
        if (stepped == mbws::client_session::stepped::closing && open_) {
            if (!fault_) fault_reason_ = {errc::disconnected, "the daemon closed the connection"};
            fault_ = true;
            connection_broken(fault_reason_);
        }
    }
    return handed;
}

void core::write_out() {
    while (open_) {
        const auto out = session_.output();
        if (out.empty()) {
            link_->watch_output(false);
            return;
        }
        const auto put = link_->write(out);
        if (put.broken) {
            // The daemon may have said why before it closed.
            read_in(link_->now(), handing::later);
            link_broken();
            return;
        }
        const bool all = put.octets == out.size();
        session_.written(put.octets);
        if (!all) {
            link_->watch_output(true);
            write_again_octets_ = session_.output().size() + write_at_octets;
            write_again_at_ = link_->now() + write_again_after;
            return;
        }
        write_again_octets_ = 0;
    }
}

void core::dispatch() {
    depth_guard guard{depth_};
    // Only what is there now: a handler that always causes more must not keep the loop.
    for (auto left = events_.size(); left > 0 && !events_.empty(); --left) {
        auto next = std::move(events_.front());
        events_.pop_front();
        if (next.to) {
            deliver(*next.to, *next.entry);
            give_entry(std::move(next.entry));
        } else {
            next.act();
        }
    }
    if (missed_untold_ > 0 && on_missed_messages) {
        const auto handler = on_missed_messages;
        handler(std::exchange(missed_untold_, 0));
    }
}

clock::time_point core::deadline() const {
    if (!events_.empty() || session_.has_input()) return link_->now();
    if (!open_) return timers_.next();
    return std::min({timers_.next(), session_.next_deadline(), link_->deadline()});
}

void core::arm() { link_->wake_at(deadline()); }

int core::fd() {
    const int descriptor = link_->fd();
    arm();
    return descriptor;
}

void core::release() {
    --batches_;
    settle();
}

void core::settle() {
    if (depth_ > 0) return;  // written at the end of the turn
    const auto waiting = session_.output().size();
    if (waiting > 0) {
        if (batches_ > 0 && waiting < write_at_octets) return;
        if (waiting < write_again_octets_ && (batches_ > 0 || link_->now() < write_again_at_)) return;
        if (looped_ && waiting < write_at_octets) link_->watch_output(true);
        else write_out();
    }
    arm();
}

}  // namespace mbus::detail
