#include "core.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mbus::detail {
namespace {

constexpr std::size_t read_octets = 64 * 1024;        // of one read
constexpr int reads_of_a_turn = 16;                   // then the program gets its messages
constexpr std::size_t write_at_octets = 64 * 1024;    // gathered output that is not kept back
constexpr std::chrono::milliseconds busy_retry{10};   // the daemon's queue of connections is full

mbws::client_options session_options(const connect_options& options) {
    mbws::client_options out;
    out.name = options.name;
    out.window = std::min(options.window, mbws::window_max);
    out.expiry = static_cast<std::uint32_t>(std::clamp<std::int64_t>(options.expiry.count(), 0, UINT32_MAX));
    out.durable = options.durable;
    out.queue_octets_max = outbox_octets_max;
    return out;
}

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

clock::time_point later(clock::time_point now, std::chrono::milliseconds by) {
    return by >= std::chrono::hours{24 * 365 * 10} ? never : now + by;
}

}  // namespace

core::core(std::unique_ptr<link> way, const connect_options& options)
    : link_(std::move(way)),
      options_(options),
      session_(session_options(options), *this),
      input_(read_octets),
      delay_(options.reconnect.first) {
    // Calls of two runs of a program must not be taken for each other; short enough for peers that
    // read the ID into 32 bits.
    next_id_ = link_->random() & 0x3FFFFFFF;
}

core::~core() = default;

// --- life ---------------------------------------------------------------------------------------

void core::begin(bool once) {
    once_ = once;
    try_to_open();
}

void core::try_to_open() {
    if (state_ == connection_state::closed || open_) return;
    auto opened = link_->open();
    if (opened) {
        open_ = true;
        fault_ = false;
        session_.connect(link_->now());
        settle();
        return;
    }
    if (opened.error().code == errc::rate) {
        timers_.at(link_->now() + busy_retry, [this] { try_to_open(); });
        return;
    }
    if (once_ || !options_.reconnect.enabled || opened.error().code == errc::bad_argument) {
        close_for_good(std::move(opened.error()));
        return;
    }
    closed_reason_ = std::move(opened.error());
    retry_later();
}

void core::retry_later() {
    // Between half and all of the delay, so that many clients do not come back at once.
    const auto dither = static_cast<double>(link_->random() >> 11) * 0x1.0p-53;
    const auto wait = std::chrono::duration_cast<clock::duration>(delay_ * (0.5 + dither / 2));
    delay_ = std::min(delay_ * 2, options_.reconnect.most);
    timers_.at(link_->now() + wait, [this] { try_to_open(); });
}

void core::connection_broken(error why) {
    if (!open_) return;
    open_ = false;
    link_->close();
    const bool was_open = state_ == connection_state::connected;
    unacknowledged_ = session_.unacknowledged();
    session_.lost(link_->now());
    if (options_.window == 0) new_session();
    for (auto& [body, waiting] : pings_) {
        post([state = waiting.second, why] { state->finish(disconnected(why.text)); });
    }
    pings_.clear();
    const bool final = fault_ && fault_is_final_;
    if (orderly_ || final || once_ || !options_.reconnect.enabled) {
        close_for_good(std::move(why));
        return;
    }
    closed_reason_ = why;
    state_ = connection_state::connecting;
    if (was_open) tell_state({.state = connection_state::connecting, .reason = std::move(why)});
    retry_later();
}

void core::close_for_good(error why) {
    if (state_ == connection_state::closed) return;
    state_ = connection_state::closed;
    closed_reason_ = why;
    open_ = false;
    link_->close();
    end_everything(why);
    tell_state({.state = connection_state::closed, .reason = std::move(why)});
}

// Every operation gets its one outcome.
void core::end_everything(const error& why) {
    const error gone = orderly_ ? error{errc::disconnected, "the connection was closed"} : why;
    for (auto& state : std::exchange(ready_, {})) post([state, why] { state->finish(why); });
    for (auto& [request, which] : std::exchange(entities_, {})) forget_entity(which, gone);
    by_address_.clear();
    for (auto& [request, which] : std::exchange(watches_, {})) {
        timers_.cancel(which->limit);
        post([which = which, gone] {
            if (auto answered = std::exchange(which->answered, nullptr)) answered(gone);
        });
    }
    for (auto& [request, state] : std::exchange(detaches_, {})) post([state = state] { state->finish({}); });
    for (auto& [body, waiting] : std::exchange(pings_, {})) {
        post([state = waiting.second, gone] { state->finish(gone); });
    }
    for (auto& [token, taker] : std::exchange(results_, {})) {
        post([taker = std::move(taker), gone] {
            mbws::message_result outcome;
            outcome.code = gone.code;
            outcome.text = gone.text;
            taker(outcome);
        });
    }
}

// Another session than before the connection broke: what the old one owed will never come.
void core::new_session() {
    const error why = disconnected("the session ended with its connection; the fate of this is unknown");
    for (const auto& [request, which] : entities_) {
        for (auto& [id, call] : std::exchange(which->calls, {})) {
            timers_.cancel(call.limit);
            post([state = call.outcome, why] { state->finish(why); });
        }
        for (auto& entry : which->inbox) entry.number = 0;
    }
    for (auto& waiting : events_) waiting.entry.number = 0;
    untaken_.clear();
    for (auto& [request, state] : std::exchange(detaches_, {})) post([state = state] { state->finish({}); });
}

void core::tell_state(connection_event what) {
    post([this, what = std::move(what)] {
        if (auto handler = on_state) handler(what);
    });
}

operation<void> core::ready() {
    auto state = make_state<void>();
    if (state_ == connection_state::connected) {
        state->finish({});
    } else if (state_ == connection_state::closed) {
        state->finish(closed_reason_);
    } else {
        ready_.push_back(state);
        timers_.at(later(link_->now(), options_.connect_limit), [this, state] {
            post([this, state] {
                if (!closed_reason_.text.empty()) state->finish(closed_reason_);
                else state->finish({errc::timed_out, "the daemon accepted the connection but did not answer in time"});
            });
        });
    }
    return operation<void>{state};
}

result<void> core::close(std::chrono::milliseconds limit) {
    if (state_ == connection_state::closed) return {};
    orderly_ = true;
    if (!open_) {
        close_for_good({errc::disconnected, "the connection was closed"});
        return {};
    }
    session_.close(link_->now());
    run_until(fault_, limit);  // on_closed() sets it, and the turn ends with the state closed
    if (state_ == connection_state::closed) return {};
    close_for_good({errc::disconnected, "the connection was closed"});
    return {errc::timed_out, "the daemon did not answer close in time; the connection was cut"};
}

void core::shut_down() noexcept {
    try {
        on_state = nullptr;
        on_missed_messages = nullptr;
        orderly_ = true;
        if (open_ && state_ == connection_state::connected) (void)flush(options_.flush_limit);
        if (open_) {
            // The daemon need not answer: the end of the socket says the same.
            session_.close(link_->now());
            if (session_.unacknowledged() > 0) (void)close(options_.flush_limit);
            else write_out();
        }
        close_for_good({errc::disconnected, "the connection was closed"});
        // Once for the outcomes, once for what their handlers cause.
        dispatch();
        dispatch();
    } catch (...) {
        // A handler threw while the connection went; there is nobody left to tell.
    }
}

// --- running --------------------------------------------------------------------------------------

void core::run_until(const bool& done, std::chrono::milliseconds limit) {
    const auto self = shared_from_this();
    if (depth_ == 0) looped_ = false;
    const auto end = later(link_->now(), limit);
    turn();
    while (!done && (state_ != connection_state::closed || !events_.empty())) {
        const auto now = link_->now();
        if (now >= end) return;
        link_->wait(std::min(end, deadline()));
        turn();
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
        if (open_ && session_.output().empty() && session_.unsent() == 0) return {};
        if (link_->now() >= end) {
            return {errc::timed_out, std::to_string(session_.waiting_octets()) +
                                         " octets are still waiting for the daemon to read them"};
        }
        link_->wait(std::min(end, timers_.next()));  // what is to be dispatched has to wait
        depth_guard guard{depth_};
        read_in();
        timers_.run(link_->now());
    }
}

void core::post(std::function<void()> what) {
    events_.push_back({nullptr, {}, std::move(what)});
    if (depth_ == 0) arm();  // a loop that polls has to come round
}

void core::turn() {
    {
        depth_guard guard{depth_};
        read_in();
        const auto now = link_->now();
        timers_.run(now);
        if (open_) session_.advance(now);
        dispatch();
        write_out();
    }
    if (depth_ == 0) arm();
}

void core::read_in() {
    for (int i = 0; open_ && i < reads_of_a_turn; ++i) {
        const auto got = link_->read(input_);
        if (got.broken) {
            connection_broken(fault_ ? fault_reason_
                                     : error{errc::disconnected, "the daemon closed the connection"});
            return;
        }
        if (got.octets == 0) return;
        const bool go_on = session_.receive(link_->now(), {input_.data(), got.octets});
        if (!go_on) {
            if (!fault_) fault_reason_ = {errc::disconnected, "the daemon closed the connection"};
            fault_ = true;
            connection_broken(fault_reason_);
            return;
        }
        if (got.octets < input_.size()) return;
    }
}

void core::write_out() {
    while (open_) {
        const auto out = session_.output();
        if (out.empty()) {
            link_->watch_output(false);
            return;
        }
        const piece whole{out.data(), out.size()};
        const auto put = link_->write({&whole, 1});
        if (put.broken) {
            // The daemon may have said why before it closed.
            read_in();
            connection_broken({errc::disconnected, "the daemon closed the connection"});
            return;
        }
        const bool all = put.octets == out.size();
        session_.written(put.octets);
        if (!all) {
            link_->watch_output(true);
            return;
        }
    }
}

void core::dispatch() {
    // Only what is there now: a handler that always causes more must not keep the loop.
    for (auto left = events_.size(); left > 0 && !events_.empty(); --left) {
        auto next = std::move(events_.front());
        events_.pop_front();
        if (next.to) deliver(next.to, std::move(next.entry));
        else next.act();
    }
    if (missed_untold_ > 0 && on_missed_messages) {
        const auto handler = on_missed_messages;
        handler(std::exchange(missed_untold_, 0));
    }
}

clock::time_point core::deadline() const {
    if (!events_.empty()) return link_->now();
    return std::min(timers_.next(), open_ ? session_.next_deadline() : never);
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
        if (looped_ && waiting < write_at_octets) link_->watch_output(true);
        else write_out();
    }
    arm();
}

}  // namespace mbus::detail
