// What a broker's session sends: deliveries, answers, and the queue behind them.
#include <algorithm>
#include <utility>

#include "mbws/broker_connection.hpp"
#include "mbws/broker_session.hpp"

namespace mbus::mbws {
namespace {

// A text in `error`, `nak` or `receipt` longer than this is cut.
constexpr std::size_t text_octets_max = 1024;

// `mode: monitor` in binary.
constexpr std::string_view monitor_field{"\x13\x00\x07monitor", 10};

// Codes beyond the table of docs/mbws.md, section 6, arise inside the process only.
errc wire_code(errc code) noexcept { return code <= errc::internal ? code : errc::internal; }

void append_failure(std::string& out, errc code, std::string_view text) {
    append_field(out, key::code, to_string(wire_code(code)));
    if (!text.empty()) append_field(out, key::text, make_field_text(text, text_octets_max));
}

}  // namespace

void broker_session::write(verb which, std::string_view fields, std::uint64_t number, std::string_view body) {
    if (port_ == nullptr) return;
    if (holding() && which != verb::error) {
        answers_.push_back({held_, which, number, std::string{fields}, std::string{body}});
        return;
    }
    port_->append({which, 0, number, {}, fields, body, nullptr});
    port_->wake();
}

void broker_session::write_error(errc code, std::string_view text) {
    scratch_.clear();
    append_failure(scratch_, code, text);
    write(verb::error, scratch_);
}

void broker_session::write_ok(std::uint32_t request) {
    append_field(scratch_, key::request, std::uint64_t{request});
    write(verb::ok, scratch_);
    scratch_.clear();
}

void broker_session::write_nak(std::uint32_t request, const error& failure) {
    scratch_.clear();
    append_field(scratch_, key::request, std::uint64_t{request});
    append_failure(scratch_, failure.code, failure.text);
    write(verb::nak, scratch_);
}

// --- deliveries -------------------------------------------------------------------------------

std::string_view broker_session::own_fields(const attachment& to, bool monitor, std::uint64_t missed) {
    const bool several = attached_ > 1 && !monitor;
    if (missed == 0)
        return several ? std::string_view{to.entity_field} : monitor ? monitor_field : std::string_view{};
    scratch_.clear();
    append_field(scratch_, key::missed, missed);
    if (several) scratch_.append(to.entity_field);
    if (monitor) scratch_.append(monitor_field);
    return scratch_;
}

// With window 0, a reader that keeps up and nothing waiting, a message goes straight to the output.
// A quarter of the limits may stand there; the rest waits where the policies reach it.
bool broker_session::may_write_directly(std::size_t octets) noexcept {
    if (window_ != 0 || port_ == nullptr || !outbox_.empty()) return false;
    const std::size_t waiting = port_->waiting();
    if (waiting == 0) written_ = 0;
    return waiting + octets <=
               std::max(octets, std::min(output_octets_high, settings_.queue_octets_max / 4)) &&
           written_ <= settings_.queue_messages_max / 4;
}

offer_result broker_session::offer(time_point now, const message_ref& what, const delivery& how) {
    if (over_ || how.slot >= attachments_.size()) return drop_offered(*what, session_drop::ended);
    attachment& to = *attachments_[how.slot];
    const std::size_t octets = what->frame_octets() + to.entity_field.size() + extra_field_octets;
    if (octets > peer_size_) {
        drop_offered(*what, session_drop::too_large);
        return offer_result::too_large;
    }
    if (may_write_directly(octets)) {
        const std::uint8_t flags = what->reliable() ? flag::reliable : std::uint8_t{0};
        const std::string_view own = own_fields(to, how.monitor, std::exchange(missed_, 0));
        port_->append({verb::message, flags, 0, own, what->fields(), what->body(), &what});
        port_->wake();
        ++written_;
        ++counters_.delivered;
        return offer_result::taken;
    }
    offer_result outcome = offer_result::taken;
    if (how.job != 0 && full(octets)) return offer_result::refused;
    if (full(octets)) {
        outcome = make_room(now, *what, how, octets);
    } else if (sender_should_wait(now, how)) {
        outcome = offer_result::wait;
    }
    if (outcome != offer_result::taken && outcome != offer_result::wait) return outcome;
    outbox_entry entry;
    entry.content = what;
    entry.expires = how.expires;
    entry.slot = how.slot;
    entry.octets = static_cast<std::uint32_t>(octets);
    entry.set_job(how.job);
    entry.redelivered = how.redelivered;
    entry.droppable = how.job == 0 && (!what->reliable() || how.monitor);
    entry.monitor = how.monitor;
    entry.latest = to.asked.policy == reader_policy::latest;
    give_number(entry);
    outbox_.push(std::move(entry));
    ++to.queued;
    if (port_ != nullptr) port_->wake();
    return outcome;
}

bool broker_session::full(std::size_t octets) const noexcept {
    return outbox_.messages() >= settings_.queue_messages_max ||
           (!outbox_.empty() && outbox_.octets() + octets > settings_.queue_octets_max);
}

// The policies of docs/mbws.md, section 5. Taken or wait: the message may be queued.
offer_result broker_session::make_room(time_point now, const prepared_message& what, const delivery& how,
                                       std::size_t octets) {
    if (outbox_.soonest_expiry() <= now) drop_expired(now);
    const reader_policy policy = attachments_[how.slot]->asked.policy;
    switch (policy) {
    case reader_policy::drop_oldest:
    case reader_policy::latest:
        while (full(octets)) {
            const bool latest = policy == reader_policy::latest;
            const std::uint32_t useless = latest ? outbox_.superseded(what.topic(), how.slot) : outbox::none;
            const std::uint32_t victim = useless != outbox::none ? useless : outbox_.oldest_droppable();
            if (victim == outbox::none) return drop_offered(what, session_drop::newest);
            if (outbox_.at(victim).messages() > 1) split_run(victim, 1);
            drop_entry(victim, useless != outbox::none ? session_drop::superseded : session_drop::oldest);
        }
        return offer_result::taken;
    case reader_policy::drop_newest:
        return full(octets) ? drop_offered(what, session_drop::newest) : offer_result::taken;
    case reader_policy::block:
        if (!full(octets)) return offer_result::taken;
        if (!how.sender_can_wait || patience_over_) return drop_offered(what, session_drop::newest);
        if (block_until_ == never) block_until_ = now + block_patience;
        return offer_result::wait;
    case reader_policy::disconnect:
        if (!full(octets)) return offer_result::taken;
        overflowed_ = port_ != nullptr;
        if (overflowed_) port_->wake();
        return drop_offered(what, session_drop::disconnect);
    }
    return offer_result::taken;
}

// Policy block, before the queue is full: of a reader that is there.
bool broker_session::sender_should_wait(time_point now, const delivery& how) {
    if (!how.sender_can_wait || port_ == nullptr || patience_over_ || unsent() < block_unsent_max) return false;
    if (attachments_[how.slot]->asked.policy != reader_policy::block) return false;
    if (block_until_ == never) block_until_ = now + block_patience;
    return true;
}

// A reliable message is refused, so that its sender learns of it; any other is counted and told.
offer_result broker_session::drop_offered(const prepared_message& what, session_drop reason) noexcept {
    if (what.reliable()) {
        ++counters_.undeliverable;
        return offer_result::refused;
    }
    count_drop(reason);
    return offer_result::dropped;
}

void broker_session::count_drop(session_drop reason, std::size_t messages) noexcept {
    counters_.dropped[static_cast<std::size_t>(reason)] += messages;
    missed_ += messages;
}

void broker_session::drop_entry(std::uint32_t index, session_drop reason) noexcept {
    count_drop(reason, outbox_.at(index).messages());
    remove_entry(index);
}

// Takes an entry out: it was sent, acknowledged, or dropped.
void broker_session::remove_entry(std::uint32_t index) noexcept {
    const outbox_entry& gone = outbox_.at(index);
    if (gone.settles) --receipts_waiting_;
    if (gone.slot != outbox::no_slot) attachments_[gone.slot]->queued -= gone.messages();
    outbox_.remove(index);
}

void broker_session::drop_expired(time_point now) noexcept {
    time_point soonest = never;
    for (std::uint32_t i = outbox_.unsent(); i != outbox::none;) {
        const std::uint32_t next = outbox_.after(i);
        const outbox_entry& entry = outbox_.at(i);
        if (entry.number == 0 && entry.expires <= now) {
            drop_entry(i, session_drop::expired);
        } else if (entry.number == 0) {
            soonest = std::min(soonest, entry.expires);
        }
        i = next;
    }
    outbox_.set_soonest_expiry(soonest);
}

// What a frame can tell; the rest goes with the next.
std::uint32_t broker_session::take_missed() noexcept {
    const auto told = static_cast<std::uint32_t>(std::min<std::uint64_t>(missed_, UINT32_MAX));
    missed_ -= told;
    return told;
}

// Sends outbox_.unsent(), or drops it when its time is over.
void broker_session::send_entry(time_point now, std::uint32_t index) {
    outbox_entry& entry = outbox_.at(index);
    if (entry.is_run) return send_run(index);
    const bool expired = entry.expires <= now;
    if (expired && entry.number == 0) {
        drop_entry(index, session_drop::expired);
        return;
    }
    if (window_ != 0 && entry.number == 0) entry.number = ++last_number_;
    sent_number_ = std::max(sent_number_, entry.number);
    if (!entry.sent_before && !entry.settles) entry.missed = take_missed();
    std::uint8_t flags = entry.content->reliable() ? flag::reliable : std::uint8_t{0};
    if (entry.sent_before || entry.redelivered) flags |= flag::redelivered;
    std::string_view own;
    if (entry.slot != outbox::no_slot)
        own = own_fields(*attachments_[entry.slot], entry.monitor, entry.missed);
    if (expired || entry.withdrawn) {
        // It has a number, so the client must hear of it; there is nothing to hand on.
        scratch_.clear();
        if (entry.missed != 0) append_field(scratch_, key::missed, std::uint64_t{entry.missed});
        if (entry.withdrawn) {
            append_failure(scratch_, errc::not_found, "this client refused the job; it went back to its queue");
        } else {
            append_failure(scratch_, errc::expired, "the message's ttl was over before it could be delivered");
        }
        port_->append({entry.content->verb(), flags, entry.number, {}, scratch_, {}, nullptr});
    } else {
        port_->append({entry.content->verb(), flags, entry.number, own, entry.content->fields(),
                       entry.content->body(), &entry.content});
    }
    if (!entry.settles) ++(entry.sent_before ? counters_.redelivered : counters_.delivered);
    if (entry.nak_about() != 0 && !naks_waiting_.empty()) {
        naks_waiting_.pop_front();
        note_taken(now);
    }
    if (window_ == 0) {
        remove_entry(index);
    } else {
        outbox_.mark_sent();
    }
}

void broker_session::fill(time_point now) {
    if (port_ == nullptr) return;
    if (overflowed_) {
        fail(now, errc::overflow,
             "this client reads too slowly for the policy disconnect; read faster or choose another policy");
        return;
    }
    if (confirmed_ < connected_at_) return;  // `connected` waits for the store
    fill_watches();
    while (outbox_.unsent() != outbox::none && port_->waiting() < output_octets_high) {
        if (window_ != 0 && outbox_.in_flight() >= peer_window_) break;
        if (journal_ != nullptr && outbox_.at(outbox_.unsent()).number > stored_number_) break;
        send_entry(now, outbox_.unsent());
    }
    look_for_room();
    if (trim_at_ == never && outbox_.trimmable()) trim_at_ = now + trim_after;
    if (input_stopped_ && wants_input()) port_->read_again();
}

// Policy block: senders go on when a quarter of the queue is free, so that they don't stop at once.
void broker_session::look_for_room() {
    if (block_until_ == never && !patience_over_) return;
    const bool room = unsent() <= block_unsent_max / 4 * 3 && outbox_.messages() <= settings_.queue_messages_max / 4 * 3 &&
                      outbox_.octets() <= settings_.queue_octets_max / 4 * 3;
    if (!room) return;
    block_until_ = never;
    patience_over_ = false;
    host_.room(*this);
}

// --- outcomes ---------------------------------------------------------------------------------

void broker_session::settle(std::uint64_t number, const route_report& report, bool refused) {
    scratch_.clear();
    append_field(scratch_, key::about, number);
    if (refused || report.failed) {
        append_failure(scratch_, report.code, report.text);
    }
    if (!refused) {
        append_field(scratch_, key::matched, std::uint64_t{report.matched});
        if (!report.entity.empty()) {
            append_field(scratch_, key::entity, report.entity);
            append_field(scratch_, key::tried, std::uint64_t{report.tried});
            append_field(scratch_, key::took, std::uint64_t{report.took});
        }
    }
    const verb which = refused ? verb::nak : verb::receipt;
    if (window_ == 0 && outbox_.empty() && (port_ == nullptr || port_->waiting() < output_octets_high)) {
        write(which, scratch_);
        return;
    }
    outbox_entry entry;
    auto* const preparer = host_.preparer();
    entry.content = preparer != nullptr ? preparer->prepare_fields(which, scratch_) : prepared_message::of_fields(which, scratch_);
    entry.octets = static_cast<std::uint32_t>(entry.content->frame_octets());
    entry.slot = outbox::no_slot;
    entry.settles = true;
    ++receipts_waiting_;
    if (refused && window_ != 0) {
        entry.about = number;
        naks_waiting_.push_back(number);
    }
    give_number(entry);
    outbox_.push(std::move(entry));
    if (port_ != nullptr) port_->wake();
}

void broker_session::receipt(std::uint64_t number, const route_report& report) {
    if (over_) return;
    if (receipts_waiting_ > 0) --receipts_waiting_;  // it was owed; settle() counts it as waiting
    settle(number, report, false);
    if (journal_ != nullptr) journal_->settled(*this, number);
    if (port_ != nullptr && input_stopped_ && wants_input()) port_->read_again();
}

// --- watches ----------------------------------------------------------------------------------

void broker_session::write_entity(const watching& what, std::string_view address, entity_state state) {
    scratch_.clear();
    append_field(scratch_, key::request, std::uint64_t{what.asked.request});
    append_field(scratch_, key::entity, address);
    append_field(scratch_, key::state, to_string(state));
    write(verb::entity, scratch_);
}

void broker_session::entity_changed(std::uint32_t slot, std::string_view address, entity_state state) {
    if (port_ == nullptr || slot >= watches_.size()) return;  // after a resume all is told anew
    watching& watch = *watches_[slot];
    if (!watch.active) return;
    if (watch.order.empty() && port_->waiting() < output_octets_high && !holding()) {
        write_entity(watch, address, state);
        return;
    }
    const auto [place, fresh] = watch.pending.insert_or_assign(std::string{address}, state);
    if (fresh) watch.order.push_back(place->first);
    port_->wake();
}

void broker_session::fill_watches() {
    if (watching_ == 0 || holding()) return;
    for (auto& watch : watches_) {
        while (!watch->order.empty() && port_->waiting() < output_octets_high) {
            const auto place = watch->pending.find(watch->order.front());
            write_entity(*watch, place->first, place->second);
            watch->pending.erase(place);
            watch->order.pop_front();
        }
        if (watch->ok_owed && watch->order.empty()) {
            watch->ok_owed = false;
            scratch_.clear();
            append_field(scratch_, key::matched, std::uint64_t{watch->matched});
            write_ok(watch->asked.request);
        }
    }
}

}  // namespace mbus::mbws
