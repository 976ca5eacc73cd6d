// What a link sends: entities, messages, outcomes, and the queue behind them.
#include <algorithm>
#include <utility>

#include "mbws/link_session.hpp"

namespace mbus::mbws {
namespace {

constexpr std::size_t text_octets_max = 1024;  // of `error`, `nak` and `receipt`

void append_failure(std::string& out, errc code, std::string_view text) {
    append_field(out, key::code, to_string(std::min(code, errc::internal)));
    if (!text.empty()) append_field(out, key::text, make_field_text(text, text_octets_max));
}

}  // namespace

void link_session::write(verb which, std::string_view fields, std::uint64_t number, std::string_view body) {
    if (port_ == nullptr) return;
    port_->append({which, 0, number, {}, fields, body, nullptr});
    port_->wake();
}

void link_session::write_error(errc code, std::string_view text) {
    scratch_.clear();
    append_failure(scratch_, code, text);
    write(verb::error, scratch_);
}

void link_session::write_ack() { write(verb::ack, {}, intake_.acknowledge()); }

void link_session::note_taken(time_point now) {
    if (port_ != nullptr && intake_.note(now, options_.window, acknowledge_delay)) write_ack();
}

// --- entities -----------------------------------------------------------------------------------

std::uint32_t link_session::free_request() {
    do {
        ++last_request_;
    } while (last_request_ == 0 || by_request_.contains(last_request_) || withdrawals_.contains(last_request_));
    return last_request_;
}

void link_session::show(const std::string& entity) {
    const std::uint32_t request = free_request();
    exports_[entity] = {request, false};
    by_request_[request] = entity;
    attaches_due_.push_back(request);
    if (port_ != nullptr) port_->wake();
}

void link_session::attach(time_point, const mbus::address& entity) {
    if (state_ != link_state::active && state_ != link_state::lost && state_ != link_state::opening) return;
    std::string text{entity.text()};
    if (token_.empty() || exports_.contains(text)) return;
    if (const auto going = withdrawing_.find(text); going != withdrawing_.end()) {
        withdrawals_.at(going->second).attach_again = true;
        return;
    }
    show(text);
}

void link_session::detach(time_point, const mbus::address& entity) {
    std::string text{entity.text()};
    if (const auto going = withdrawing_.find(text); going != withdrawing_.end()) {
        withdrawals_.at(going->second).attach_again = false;
        return;
    }
    const auto found = exports_.find(text);
    if (found == exports_.end()) return;
    const std::uint32_t about = found->second.request;
    exports_.erase(found);
    by_request_.erase(about);
    const std::uint32_t request = free_request();
    withdrawing_[text] = request;
    withdrawals_[request] = {about, outbox_.last_serial(), std::move(text), false};
    withdrawals_due_.push_back(request);
    if (port_ != nullptr) port_->wake();
}

bool link_session::attached(std::string_view entity) const { return exports_.find(entity) != exports_.end(); }

void link_session::send_requests() {
    while (!attaches_due_.empty() && port_->waiting() < output_octets_high) {
        const std::uint32_t request = attaches_due_.front();
        attaches_due_.pop_front();
        const auto named = by_request_.find(request);
        if (named == by_request_.end()) continue;  // withdrawn before it was written
        scratch_.clear();
        append_field(scratch_, key::request, std::uint64_t{request});
        append_field(scratch_, key::entity, named->second);
        write(verb::attach, scratch_);
    }
    // What the entity sent goes first, and has to have arrived, since it may be sent again.
    while (!withdrawals_due_.empty() && port_->waiting() < output_octets_high) {
        const std::uint32_t request = withdrawals_due_.front();
        const auto due = withdrawals_.find(request);
        if (due != withdrawals_.end()) {
            if (outbox_.front_serial() <= due->second.after) break;
            scratch_.clear();
            append_field(scratch_, key::request, std::uint64_t{request});
            append_field(scratch_, key::about, std::uint64_t{due->second.about});
            write(verb::detach, scratch_);
        }
        withdrawals_due_.pop_front();
    }
}

// --- messages -----------------------------------------------------------------------------------

offer_result link_session::offer(time_point now, const message_ref& what, const link_delivery& how) {
    const bool reliable = what->reliable();
    if (token_.empty() || state_ == link_state::closing || state_ == link_state::standby) {
        if (!reliable) ++counters_.dropped_ended;
        return reliable ? offer_result::refused : offer_result::dropped;
    }
    const std::size_t octets = what->frame_octets();
    if (octets > peer_size_) {
        if (!reliable) ++counters_.dropped_too_large;
        return offer_result::too_large;
    }
    if (full(octets) && !make_room(now, octets)) {
        ++(reliable ? counters_.overflowed : counters_.dropped_queue);
        return reliable ? offer_result::refused : offer_result::dropped;
    }
    outbox_entry entry;
    entry.content = what;
    entry.expires = how.expires;
    entry.slot = outbox::no_slot;
    entry.octets = static_cast<std::uint32_t>(octets);
    entry.droppable = !reliable;
    entry.about = reliable ? how.token : 0;
    outbox_.push(std::move(entry));
    if (reliable && how.token != 0) {
        waiting_[how.token] = {how.expires, 0};
        patience_.emplace(how.expires, how.token);
    }
    if (port_ != nullptr) port_->wake();
    host_.link_touched(*this);
    return offer_result::taken;
}

bool link_session::full(std::size_t octets) const noexcept {
    return outbox_.messages() >= options_.queue_messages_max ||
           (!outbox_.empty() && outbox_.octets() + octets > options_.queue_octets_max);
}

// The oldest unreliable messages go, those that nobody waits for any more first.
bool link_session::make_room(time_point now, std::size_t octets) {
    if (outbox_.soonest_expiry() <= now) drop_expired(now);
    while (full(octets)) {
        const std::uint32_t victim = outbox_.oldest_droppable();
        if (victim == outbox::none) return false;
        drop(victim, counters_.dropped_queue);
    }
    return true;
}

void link_session::drop(std::uint32_t index, std::uint64_t& counter) noexcept {
    if (outbox_.at(index).droppable) ++counter;  // the outcome of a reliable one was told
    remove_entry(index);
}

void link_session::remove_entry(std::uint32_t index) noexcept {
    if (outbox_.at(index).settles) --receipts_waiting_;
    outbox_.remove(index);
}

void link_session::drop_expired(time_point now) {
    time_point soonest = never;
    for (std::uint32_t i = outbox_.unsent(); i != outbox::none;) {
        const std::uint32_t next = outbox_.after(i);
        const outbox_entry& entry = outbox_.at(i);
        if (entry.number == 0 && entry.expires <= now) {
            if (!entry.droppable && entry.about != 0) {
                give_up(now, entry.about, errc::expired, "its ttl was over before it could be sent over the link");
            }
            drop(i, counters_.dropped_expired);
        } else if (entry.number == 0) {
            soonest = std::min(soonest, entry.expires);
        }
        i = next;
    }
    outbox_.set_soonest_expiry(soonest);
}

void link_session::send_entry(time_point now, std::uint32_t index) {
    outbox_entry& entry = outbox_.at(index);
    const bool expired = entry.expires <= now;
    if (expired && entry.number == 0) {
        if (!entry.droppable && entry.about != 0) {
            give_up(now, entry.about, errc::expired, "its ttl was over before it could be sent over the link");
        }
        drop(index, counters_.dropped_expired);
        return;
    }
    if (entry.number == 0) {
        entry.number = ++last_number_;
        if (!entry.settles && entry.about != 0) {
            numbered_[entry.number] = entry.about;
            if (const auto who = waiting_.find(entry.about); who != waiting_.end()) who->second.number = entry.number;
        }
    }
    std::uint8_t flags = entry.content->reliable() ? flag::reliable : std::uint8_t{0};
    if (entry.sent_before) flags |= flag::redelivered;
    if (expired) {
        // It has a number, so the other side must hear of it; there is nothing to hand on.
        scratch_.clear();
        append_failure(scratch_, errc::expired, "the message's ttl was over before it could be delivered");
        port_->append({entry.content->verb(), flags, entry.number, {}, scratch_, {}, nullptr});
    } else {
        port_->append({entry.content->verb(), flags, entry.number, {}, entry.content->fields(),
                       entry.content->body(), &entry.content});
    }
    if (!entry.settles) ++(entry.sent_before ? counters_.redelivered : counters_.sent);
    const bool nak = entry.settles && entry.about != 0;
    outbox_.mark_sent();
    if (nak) {
        intake_.nak_sent();
        note_taken(now);
    }
}

void link_session::fill(time_point now) {
    if (port_ == nullptr || state_ != link_state::active) return;
    send_requests();
    while (port_ != nullptr && outbox_.unsent() != outbox::none && port_->waiting() < output_octets_high &&
           outbox_.in_flight() < peer_window_ && attaches_due_.empty()) {
        send_entry(now, outbox_.unsent());
    }
    if (port_ != nullptr && input_stopped_ && wants_input()) port_->read_again();
}

// --- outcomes -----------------------------------------------------------------------------------

void link_session::settle(time_point, std::uint64_t number, const route_report& report, bool refused) {
    scratch_.clear();
    append_field(scratch_, key::about, number);
    if (refused || report.failed) append_failure(scratch_, report.code, report.text);
    if (!refused) {
        append_field(scratch_, key::matched, std::uint64_t{report.matched});
        if (!report.entity.empty()) {
            append_field(scratch_, key::entity, report.entity);
            append_field(scratch_, key::tried, std::uint64_t{report.tried});
            append_field(scratch_, key::took, std::uint64_t{report.took});
        }
    }
    outbox_entry entry;
    entry.content = prepared_message::of_fields(refused ? verb::nak : verb::receipt, scratch_);
    entry.octets = static_cast<std::uint32_t>(entry.content->frame_octets());
    entry.slot = outbox::no_slot;
    entry.settles = true;
    ++receipts_waiting_;
    if (refused) {
        entry.about = number;
        intake_.nak_waits(number);
    }
    outbox_.push(std::move(entry));
    if (port_ != nullptr) port_->wake();
}

void link_session::receipt(time_point now, std::uint64_t number, const route_report& report) {
    if (token_.empty()) return;
    if (receipts_waiting_ > 0) --receipts_waiting_;  // it was owed; settle() counts it as waiting
    settle(now, number, report, false);
    host_.link_touched(*this);
}

void link_session::tell_outcome(time_point now, std::uint64_t token, const route_report& report) {
    const auto who = waiting_.find(token);
    if (who == waiting_.end()) return;
    if (who->second.number != 0) numbered_.erase(who->second.number);
    patience_.erase({who->second.until, token});
    waiting_.erase(who);
    host_.link_outcome(now, *this, token, report);
}

void link_session::give_up(time_point now, std::uint64_t token, errc code, std::string_view text) {
    route_report report;
    report.failed = true;
    report.code = code;
    report.text = text;
    tell_outcome(now, token, report);
}

}  // namespace mbus::mbws
