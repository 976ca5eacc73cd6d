// How a connection begins, breaks and ends.
#include "core.hpp"

#include <algorithm>
#include <utility>

namespace mbus::detail {
namespace {

constexpr std::size_t read_octets = 64 * 1024;       // of one read
constexpr std::size_t spare_entries_max = 64;        // for messages that wait while others are handled
constexpr std::chrono::milliseconds busy_retry{10};  // the daemon's queue of connections is full

mbws::client_options session_options(const connect_options& options, std::chrono::seconds silence_max) {
    mbws::client_options out;
    out.name = options.name;
    out.window = std::min(*options.window, mbws::window_max);
    out.expiry = static_cast<std::uint32_t>(std::clamp<std::int64_t>(options.expiry->count(), 0, UINT32_MAX));
    out.durable = options.durable;
    out.queue_octets_max = outbox_octets_max;
    out.silence_max = silence_max;
    return out;
}

}  // namespace

core::core(std::unique_ptr<link> way, const connect_options& options)
    : link_(std::move(way)),
      options_(options),
      session_(session_options(options, link_->silence_max()), *this),
      input_(read_octets),
      delay_(options.reconnect.first) {
    // Calls of two runs of a program must not be taken for each other; short enough for peers that
    // read the ID into 32 bits.
    spare_entries_.reserve(spare_entries_max);
    next_id_ = link_->random() & 0x3FFFFFFF;
}

core::~core() = default;

void core::begin(bool once) {
    once_ = once;
    try_to_open();
}

void core::try_to_open() {
    if (state_ == connection_state::closed || open_) return;
    auto opened = link_->open();
    if (opened) {
        open_ = true;
        write_again_octets_ = 0;
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

// The daemon may have said why before the link broke.
void core::link_broken() {
    if (!open_ || fault_) return connection_broken(fault_reason_);
    auto fault = link_->fault();
    fault_ = fault_is_final_ = fault.final;
    connection_broken(std::move(fault.why));
}

void core::connection_broken(error why) {
    if (!open_) return;
    open_ = false;
    link_->close();
    const bool was_open = state_ == connection_state::connected;
    unacknowledged_ = session_.unacknowledged();
    session_.lost(link_->now());
    if (*options_.window == 0) new_session();
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
    for (auto& waiting : events_) {
        if (waiting.entry) waiting.entry->number = 0;
    }
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
            // A session that outlives its connection ends when the daemon has read `close`. Any other
            // ends with the socket.
            const bool lasting = session_.resumable() && options_.expiry->count() > 0;
            session_.close(link_->now());
            if (session_.unacknowledged() > 0 || lasting) (void)close(options_.flush_limit);
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

}  // namespace mbus::detail
