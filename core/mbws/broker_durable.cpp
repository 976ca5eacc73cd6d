// Durable sessions: what waits for the store, and how a session comes back from it; and jobs that a
// client refuses.
#include <algorithm>
#include <utility>

#include "mbws/broker_connection.hpp"
#include "mbws/broker_session.hpp"

namespace mbus::mbws {

// What is written from here on tells of changes that are not stored yet.
void broker_session::hold_answers() { journal_->confirm(*this, ++held_); }

void broker_session::confirmed(std::uint64_t position) {
    confirmed_ = std::max(confirmed_, position);
    while (!answers_.empty() && answers_.front().position <= confirmed_) {
        const held_answer next = std::move(answers_.front());
        if (port_ != nullptr) port_->append({next.verb, 0, next.number, {}, next.fields, next.body, nullptr});
        answers_.pop_front();
    }
    if (port_ == nullptr) return;
    port_->wake();
    if (input_stopped_ && wants_input()) port_->read_again();
}

void broker_session::stored(std::uint64_t number) {
    stored_number_ = std::max(stored_number_, number);
    if (port_ != nullptr) port_->wake();
}

// Durable: a number is given when the entry is stored (docs/mbws.md, section 4).
void broker_session::give_number(outbox_entry& entry) {
    if (journal_ == nullptr) return;
    entry.number = ++last_number_;
    journal_->queued(*this, entry);
}

void broker_session::restore(stored_session from, time_point expires, session_journal& journal) {
    journal_ = &journal;
    name_ = std::move(from.name);
    peer_window_ = from.window;
    window_ = std::clamp(settings_.window, std::uint32_t{1}, window_max);
    peer_size_ = from.size;
    expiry_ = from.expiry;
    expires_at_ = expires;
    received_ = taken_ = acknowledged_out_ = from.received;
    last_number_ = stored_number_ = sent_number_ = from.last_number;
    receipts_waiting_ = from.receipts_owed;
    for (auto& each : from.attaches) {
        const std::uint32_t slot = each.asked.slot;
        while (attachments_.size() <= slot) attachments_.push_back(std::make_unique<attachment>());
        append_field(each.entity_field, key::entity, each.entity.text());
        *attachments_[slot] = std::move(each);
        if (!attachments_[slot]->active) continue;
        ++attached_;
        if (attachments_[slot]->asked.mode == attach_mode::entity) senders_.push_back(slot);
    }
    for (auto& each : from.watches) {
        while (watches_.size() <= each.slot) watches_.push_back(std::make_unique<watching>());
        watching& watch = *watches_[each.slot];
        watch.asked = std::move(each);
        watch.active = true;
        ++watching_;
    }
    for (auto& entry : from.entries) {
        if (entry.slot != outbox::no_slot && entry.slot >= attachments_.size()) continue;
        if (entry.slot != outbox::no_slot) ++attachments_[entry.slot]->queued;
        if (entry.settles) ++receipts_waiting_;
        if (entry.nak_about() != 0) naks_waiting_.push_back(entry.nak_about());
        entry.octets = static_cast<std::uint32_t>(entry.content->frame_octets());
        entry.sent_before = true;  // perhaps; the client knows by the number
        outbox_.push(std::move(entry));
    }
}

// The client hands a job back. Its number stays, without the job, until it is acknowledged.
void broker_session::refuse_job(time_point now, std::uint64_t number) {
    for (std::uint32_t i = outbox_.head(); i != outbox::none; i = outbox_.after(i)) {
        outbox_entry& entry = outbox_.at(i);
        if (entry.number == 0 || entry.number > number) return;
        if (entry.number != number || entry.job() == 0) continue;
        const std::uint64_t job = entry.job();
        entry.set_job(0);
        entry.withdrawn = true;
        if (journal_ != nullptr) journal_->queued(*this, entry);
        host_.settle_job(now, *this, *attachments_[entry.slot], job, job_outcome::refused);
        return;
    }
}

}  // namespace mbus::mbws
