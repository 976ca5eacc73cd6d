// Runs of messages (message_run.hpp) in a broker's session: offered, queued and sent as they are; taken apart only
// where a message has something of its own to tell, the window ends, or a policy drops some.
#include <algorithm>

#include "mbws/broker_session.hpp"

namespace mbus::mbws {

static_assert(message_run::largest_frame + extra_field_octets <= frame_octets_min, "every client takes them");

// The policy `latest` looks at each message, and `block` at the one that makes it too much; a durable session
// stores each; several attaches name theirs in each.
bool broker_session::takes_runs(std::uint32_t slot) const noexcept {
    if (over_ || journal_ != nullptr || attached_ != 1 || slot >= attachments_.size()) return false;
    if (port_ == nullptr || !port_->takes_runs()) return false;
    const reader_policy policy = attachments_[slot]->asked.policy;
    if (policy == reader_policy::block) {
        return unsent() < block_unsent_max && outbox_.messages() <= settings_.queue_messages_max / 4 * 3 &&
               outbox_.octets() <= settings_.queue_octets_max / 4 * 3;
    }
    return policy != reader_policy::latest;
}

bool broker_session::can_take(const message_run& run, std::uint32_t slot) const noexcept {
    if (!takes_runs(slot)) return false;
    return outbox_.messages() + run.messages() <= settings_.queue_messages_max &&
           outbox_.octets() + charge(run.piece(), slot) <= settings_.queue_octets_max;
}

// What a piece weighs in the queue: as much as if each message had come alone.
std::uint32_t broker_session::charge(const run_piece& piece, std::uint32_t slot) const noexcept {
    const std::size_t own = piece.addresses().size() + attachments_[slot]->entity_field.size() + extra_field_octets;
    return static_cast<std::uint32_t>(piece.octets + piece.messages * own);
}

// The first `messages` of an entry.
std::uint32_t broker_session::charge_of_first(const outbox_entry& entry, std::size_t messages) const noexcept {
    run_piece first{entry.content, entry.run_at(), messages};
    first.octets = message_run::octets_of(first.storage, first.at, messages);
    return charge(first, entry.slot);
}

offer_result broker_session::offer_run(time_point now, const message_run& run, const delivery& how) {
    const run_piece whole = run.piece();
    if (missed_ == 0 && may_write_directly(whole.octets)) {
        port_->append_run(whole);
        port_->wake();
        written_ += run.messages();
        counters_.delivered += run.messages();
        return offer_result::taken;
    }
    const bool wait = sender_should_wait(now, how);
    const run_piece kept = run.piece_to_keep();
    outbox_entry entry;
    entry.content = kept.storage;
    entry.set_run(kept.at, kept.messages);
    entry.slot = how.slot;
    entry.octets = charge(kept, how.slot);
    entry.droppable = true;
    outbox_.push(std::move(entry));
    attachments_[how.slot]->queued += kept.messages;
    port_->wake();
    return wait ? offer_result::wait : offer_result::taken;
}

void broker_session::split_run(std::uint32_t index, std::size_t messages) {
    const outbox_entry& entry = outbox_.at(index);
    outbox_.split(index, messages, charge_of_first(entry, messages));
}

// Sends outbox_.unsent(), a run, as far as the window reaches.
void broker_session::send_run(std::uint32_t index) {
    if (window_ != 0) {
        const std::size_t room = peer_window_ - outbox_.in_flight();
        if (outbox_.at(index).messages() > room) split_run(index, room);
    }
    const bool again = outbox_.at(index).sent_before;
    if (!again && missed_ != 0) {
        if (outbox_.at(index).messages() > 1) split_run(index, 1);  // the first message tells
        outbox_.at(index).missed = take_missed();
    }
    outbox_entry& entry = outbox_.at(index);
    const std::size_t messages = entry.messages();
    if (window_ != 0 && entry.number == 0) {
        entry.number = last_number_ + 1;
        last_number_ += messages;
    }
    if (entry.number != 0) sent_number_ = std::max(sent_number_, entry.number + messages - 1);
    auto piece = entry.piece();
    if (again) piece.flags = flag::redelivered;
    if (entry.missed == 0 && attached_ == 1 && port_->takes_runs()) {
        port_->append_run(piece);
    } else {
        write_singly(piece, own_fields(*attachments_[entry.slot], false, entry.missed));
    }
    (again ? counters_.redelivered : counters_.delivered) += messages;
    if (window_ == 0) remove_entry(index);
    else outbox_.mark_sent();
}

// With fields of their own.
void broker_session::write_singly(const run_piece& piece, std::string_view own) {
    std::string fields{piece.addresses()};
    const std::size_t addresses = fields.size();
    std::uint64_t number = piece.number;
    message_run::for_each(piece.frames(), [&](const message_run::message& one) {
        fields.replace(addresses, std::string::npos, one.time_field);
        port_->append({verb::message, piece.flags, number, own, fields, one.body, nullptr});
        if (number != 0) ++number;
    });
}

}  // namespace mbus::mbws
