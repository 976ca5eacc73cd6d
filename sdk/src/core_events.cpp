// What the MBWS session tells, queued for dispatch().
#include "core.hpp"

#include <utility>

namespace mbus::detail {
namespace {

error owned(const mbws::message_result& what) { return {what.code, std::string{what.text}}; }

peer_state to_peer_state(mbws::entity_state state) noexcept {
    switch (state) {
    case mbws::entity_state::present: return peer_state::present;
    case mbws::entity_state::joined: return peer_state::joined;
    case mbws::entity_state::left: return peer_state::left;
    case mbws::entity_state::lost: break;
    }
    return peer_state::lost;
}

}  // namespace

void core::on_connected(const mbws::connected_info& info) {
    once_ = false;
    state_ = connection_state::connected;
    closed_reason_ = {};
    delay_ = options_.reconnect.first;
    if (!info.resumed && !info.first) new_session();
    for (auto& state : std::exchange(ready_, {})) post([state] { state->finish({}); });
    tell_state({.state = connection_state::connected,
                .resumed = info.resumed,
                .unacknowledged = info.resumed ? 0 : std::exchange(unacknowledged_, 0)});
}

void core::on_fault(const error& failure, bool again) {
    fault_ = true;
    fault_is_final_ = !again;
    fault_reason_ = failure;
}

void core::on_closed() {
    fault_ = true;
    fault_is_final_ = true;
    fault_reason_ = {errc::disconnected, orderly_ ? "the connection was closed" : "the daemon ended the session"};
}

void core::on_attached(std::uint32_t request, std::string_view entity_text) {
    const auto at = entities_.find(request);
    if (at == entities_.end()) return;
    const auto which = at->second;
    auto full = mbus::address::parse(entity_text);
    if (!full) return on_refused(request, full.error());
    if (which->options.mode != attach_mode::monitor) {
        if (const auto old = by_address_.find(which->address.text());
            old != by_address_.end() && old->second == which) {
            by_address_.erase(old);
        }
        by_address_[std::string{full->text()}] = which;
    }
    which->address = std::move(*full);
    which->attached = true;
    if (auto state = std::exchange(which->attaching, nullptr)) {
        timers_.cancel(which->attach_limit);
        post([state, which] { state->finish(entity{which}); });
    }
}

void core::on_watched(std::uint32_t request, std::uint32_t matched) {
    const auto at = watches_.find(request);
    if (at == watches_.end()) return;
    const auto which = at->second;
    post([this, which, matched] {
        if (!which->first_round) {
            // What was there before the connection broke and is not in the new list is gone.
            std::vector<std::string> gone;
            for (const auto& [text, seen] : which->known) {
                if (!seen) gone.push_back(text);
            }
            for (const auto& text : gone) tell_peer(which, text, peer_state::lost);
        }
        which->first_round = false;
        if (auto answered = std::exchange(which->answered, nullptr)) {
            timers_.cancel(which->limit);
            answered(matched);
        }
    });
}

void core::on_watch_restarted(std::uint32_t request) {
    const auto at = watches_.find(request);
    if (at == watches_.end()) return;
    post([which = at->second] {
        if (which->first_round) which->known.clear();
        for (auto& [text, seen] : which->known) seen = false;
    });
}

void core::on_entity(std::uint32_t request, std::string_view entity_text, mbws::entity_state state) {
    const auto at = watches_.find(request);
    if (at == watches_.end()) return;
    post([this, which = at->second, text = std::string{entity_text}, state] {
        tell_peer(which, text, to_peer_state(state));
    });
}

void core::on_done(std::uint32_t request) {
    const auto at = detaches_.find(request);
    if (at == detaches_.end()) return;
    post([state = at->second] { state->finish({}); });
    detaches_.erase(at);
}

void core::on_refused(std::uint32_t request, const error& failure) {
    if (const auto at = entities_.find(request); at != entities_.end()) {
        const auto which = at->second;
        entities_.erase(at);
        forget_entity(which, failure);
        return;
    }
    if (const auto at = watches_.find(request); at != watches_.end()) {
        const auto which = at->second;
        watches_.erase(at);
        if (!which->answered) return;
        timers_.cancel(which->limit);
        post([which, failure] {
            if (auto answered = std::exchange(which->answered, nullptr)) answered(failure);
        });
        return;
    }
    on_done(request);  // what could not be detached is not attached either
}

// Neighbours tend to have much in common.
void core::describe(const mbws::delivered_message& what, const entity_record& to, received_message& message) {
    read_address(what.from, message.from);
    read_address(what.to, message.to);
    if (message.entity != to.address) message.entity = to.address;
    message.type = what.type;
    message.reliable = what.reliable;
    message.redelivered = what.redelivered;
    message.monitored = what.monitor;
    message.time = std::chrono::system_clock::time_point{std::chrono::milliseconds{what.time}};
    message.sequence = what.sequence;
    message.interface = what.interface;
}

bool core::on_message(const mbws::delivered_message& what) {
    auto* const to = find_entity(what.entity, what.monitor);
    if (to == nullptr || to->gone) {  // detached meanwhile
        ++filled_;                    // no entry is like this one
        return true;
    }
    auto entry = take_entry();
    entry->number = what.number;
    auto& message = entry->message;
    // An entry that is used again for a message like its last one has all but the body already.
    if (!what.repeats || entry->filled == 0 || entry->filled != filled_) describe(what, *to, message);
    entry->filled = ++filled_;
    message.body = what.body;
    message.commands_.clear();
    message.taken_apart_ = false;
    if (what.number != 0) untaken_.emplace_back(what.number, false);
    arrived_ = {to, std::move(entry)};
    return what.number == 0;
}

void core::on_result(mbws::message_token token, const mbws::message_result& what) {
    const auto at = results_.find(token);
    if (at == results_.end()) return;
    auto taker = std::move(at->second);
    results_.erase(at);
    post([taker = std::move(taker), ok = what.ok, failure = owned(what), matched = what.matched,
          by = std::string{what.entity}, tried = what.tried, took = what.took] {
        mbws::message_result outcome;
        outcome.ok = ok;
        outcome.code = failure.code;
        outcome.text = failure.text;
        outcome.matched = matched;
        outcome.entity = by;
        outcome.tried = tried;
        outcome.took = took;
        taker(outcome);
    });
}

void core::on_pong(std::string_view body) {
    const auto at = pings_.find(body);
    if (at == pings_.end()) return;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(link_->now() - at->second.first);
    post([state = at->second.second, took] { state->finish(took); });
    pings_.erase(at);
}

void core::read_address(std::string_view text, mbus::address& into) {
    if (into.text() == text) return;
    auto parsed = mbus::address::parse(text);
    into = parsed ? std::move(*parsed) : mbus::address{};
}

}  // namespace mbus::detail
