// What a broker's session receives: messages, acknowledgements, and the frames that need no rights.
#include <algorithm>
#include <utility>

#include "mbws/broker_connection.hpp"
#include "mbws/broker_session.hpp"

namespace mbus::mbws {

verdict broker_session::handle(time_point now, const frame_view& frame) {
    if (frame.verb == verb::message) return on_message(now, frame);
    host_.hand_over();
    switch (frame.verb) {
    case verb::ack: return on_ack(now, frame.number);
    case verb::nak: return on_nak(now, frame);
    case verb::attach:
    case verb::detach:
    case verb::watch:
    case verb::grant:
    case verb::revoke: return on_request(now, frame);
    case verb::ping:
        if (frame.body.size() > ping_octets_max) {
            return fail(now, errc::bad_frame, "the body of a ping has at most 64 octets");
        }
        write(verb::pong, {}, frame.number, frame.body);
        return verdict::go_on;
    case verb::pong: return verdict::go_on;
    case verb::close:
        confirmed(held_);  // nothing of the session will be kept, so nothing waits for the store
        write(verb::close, {});
        leave_connection(orderly, "");
        finish_session(now, end_reason::closed);
        return verdict::closing;
    case verb::connect:
        return fail(now, errc::bad_frame,
                    "a connection has one connect; open another connection for another session");
    case verb::connected:
    case verb::ok:
    case verb::receipt:
    case verb::entity:
    case verb::error:
        return fail(now, errc::bad_frame,
                    std::string{"only a broker sends "} + std::string{to_string(frame.verb)});
    case verb::message:
    case verb::unknown: break;
    }
    return fail(now, errc::bad_frame,
                "unknown verb; this broker speaks version 1 (docs/mbws.md, section 2.3)");
}

// Checks the number of a message or nak of the client (docs/mbws.md, section 4).
broker_session::intake broker_session::take_number(time_point now, std::uint64_t number) {
    if (window_ == 0) {
        if (number == 0) return intake::fresh;
        if (number <= received_) {
            fail(now, errc::bad_frame, "numbers must rise");
            return intake::closing;
        }
        received_ = number;
        return intake::fresh;
    }
    if (number == 0) {
        fail(now, errc::bad_frame, "a session with a window numbers its messages from 1");
        return intake::closing;
    }
    if (number <= received_) {
        ++counters_.duplicates;
        ack_due_ = now;  // its ack may have been lost with a connection
        return intake::duplicate;
    }
    if (number != received_ + 1) {
        fail(now, errc::bad_frame, "a number was skipped; after a resume send again from received + 1");
        return intake::closing;
    }
    if (number > acknowledged_out_ + window_) {
        fail(now, errc::window, "more messages in flight than the window in connected allows; wait for ack");
        return intake::closing;
    }
    received_ = number;
    return intake::fresh;
}

// A message that only its body tells from the one before, which was routed.
bool broker_session::route_again(const frame_view& frame) {
    body_summary commands;
    if (check_commands(frame.body, commands) || !host_.route_again(*this, frame.body, commands)) return false;
    ++counters_.received;
    return true;
}

verdict broker_session::on_message(time_point now, const frame_view& frame) {
    const bool again = std::exchange(repeatable_, false) && frame.repeats;
    if (again && window_ == 0 && frame.number == 0 && route_again(frame)) {
        repeatable_ = true;
        return verdict::go_on;
    }
    switch (take_number(now, frame.number)) {
    case intake::closing: return verdict::closing;
    case intake::duplicate: return verdict::go_on;
    case intake::fresh: break;
    }
    if (again && window_ != 0 && route_again(frame)) {
        processed(now, frame.number, true);
        repeatable_ = true;
        return verdict::go_on;
    }
    ++counters_.received;
    const bool wanted = frame.number != 0 && (frame.receipt_wanted() || frame.reliable());
    if (wanted) ++receipts_waiting_;
    const route_status status = route(now, frame);
    if (wanted && status != route_status::receipt_later && status != route_status::take_over_later) {
        --receipts_waiting_;
        if (status == route_status::routed) settle(frame.number, report_, false);
    }
    if (status == route_status::refused) {
        ++counters_.refused;
        if (frame.number != 0) settle(frame.number, report_, true);
    }
    processed(now, frame.number, status != route_status::take_over_later);
    repeatable_ = report_.may_repeat;
    return verdict::go_on;
}

result<const attachment*> broker_session::sender_of(std::string_view from) {
    if (senders_.empty())
        return error{errc::no_entity, "this session has no entity; attach one before sending"};
    if (from.empty()) return attachments_[senders_.front()].get();
    if (from == from_text_) return attachments_[from_slot_].get();
    const auto asked = mbus::address::parse(from);
    if (!asked) return error{errc::bad_address, "from: " + asked.error().text};
    for (const std::uint32_t slot : senders_) {
        if (attachments_[slot]->entity != *asked) continue;
        from_text_ = from;
        from_slot_ = slot;
        return attachments_[slot].get();
    }
    return error{errc::forbidden,
                 "from is not the full address of an entity of this session; attach it first"};
}

// Checks the message and hands it to the host; the report of a refusal is in report_.
route_status broker_session::route(time_point now, const frame_view& frame) {
    report_.failed = false;
    report_.may_repeat = false;
    report_.matched = 0;
    report_.text.clear();
    report_.entity.clear();
    const auto refuse = [this](const error& why) {
        report_.code = why.code;
        report_.text = why.text;
        return route_status::refused;
    };
    if (!frame.has(key::to)) return refuse({errc::bad_address, "a message needs the field to"});
    const auto from = sender_of(frame.text(key::from));
    if (!from) return refuse(from.error());
    routed_message what;
    what.number = frame.number;
    what.reliable = frame.reliable();
    what.receipt_wanted = frame.receipt_wanted();
    what.to = frame.text(key::to);
    what.from = *from;
    what.body = frame.body;
    what.time = frame.integer(key::time);
    what.ttl = frame.integer32(key::ttl);
    if (what.ttl != 0) what.expires = now + std::chrono::milliseconds{what.ttl};
    what.sender_can_wait = window_ == 0 && local_;
    what.frame = &frame;
    const std::string_view type = frame.text(key::type);
    if (is_command_type(type)) {
        if (auto wrong = check_commands(frame.body, what.commands)) {
            std::string text = std::move(wrong->text);
            if (wrong->offset != error::no_offset)
                text += " (octet " + std::to_string(wrong->offset) + " of the body)";
            return refuse({errc::bad_command, std::move(text)});
        }
    } else {
        if (!is_media_type(type))
            return refuse({errc::bad_command, "type must be a media type such as image/png"});
        what.type = type;
    }
    return host_.route(now, *this, what, report_);
}

// --- taking over and acknowledging ------------------------------------------------------------

// A frame of the client has had its effect. A durable session acknowledges it when that is stored.
void broker_session::processed(time_point now, std::uint64_t number, bool done) {
    if (window_ == 0) return;
    mark_taken(number, done && journal_ == nullptr);
    if (journal_ != nullptr) journal_->received(*this, number, done);
    note_taken(now);
}

void broker_session::mark_taken(std::uint64_t number, bool done) {
    if (done && takeovers_.empty()) {
        taken_ = number;
    } else {
        takeovers_.push_back(static_cast<std::uint8_t>(done));
    }
}

void broker_session::take_over(time_point now, std::uint64_t number) {
    const std::uint64_t index = number - taken_ - 1;
    if (window_ == 0 || number <= taken_ || index >= takeovers_.size()) return;
    takeovers_[index] = 1;
    while (!takeovers_.empty() && takeovers_.front() != 0) {
        takeovers_.pop_front();
        ++taken_;
    }
    note_taken(now);
}

// What may be acknowledged: taken over, and not before a nak that has still to be sent.
std::uint64_t broker_session::acknowledgeable() const noexcept {
    return naks_waiting_.empty() ? taken_ : std::min(taken_, naks_waiting_.front() - 1);
}

// After max(1, window/4) frames or 20 ms.
void broker_session::note_taken(time_point now) {
    if (port_ == nullptr) return;
    const std::uint64_t ready = acknowledgeable();
    if (ready <= acknowledged_out_) return;
    if (ready - acknowledged_out_ >= std::max<std::uint64_t>(1, window_ / 4)) {
        write_ack();
    } else if (ack_due_ == never) {
        ack_due_ = now + acknowledge_delay;
    }
}

void broker_session::write_ack() {
    acknowledged_out_ = std::max(acknowledged_out_, acknowledgeable());
    ack_due_ = never;
    write(verb::ack, {}, acknowledged_out_);
}

verdict broker_session::on_ack(time_point now, std::uint64_t number) {
    if (number > known_number()) {
        return fail(now, errc::bad_frame, "an ack for a number that was never sent");
    }
    acknowledge_up_to(now, number);
    if (outbox_.unsent() != outbox::none) port_->wake();  // the window has moved
    look_for_room();
    if (input_stopped_ && wants_input()) port_->read_again();
    return verdict::go_on;
}

// The client has taken over everything up to `number`; jobs among it are done.
void broker_session::acknowledge_up_to(time_point now, std::uint64_t number) {
    bool any = false;
    while (outbox_.head() != outbox::none) {
        const outbox_entry& first = outbox_.at(outbox_.head());
        if (first.number == 0 || first.number > number) break;
        if (const std::size_t done = number - first.number + 1; done < first.messages()) {
            attachments_[first.slot]->queued -= done;
            outbox_.cut_front(outbox_.head(), done, charge_of_first(first, done));
            break;
        }
        const std::uint64_t job = first.job();
        const std::uint32_t slot = first.slot;
        remove_entry(outbox_.head());
        any = true;
        if (job != 0) host_.settle_job(now, *this, *attachments_[slot], job, job_outcome::done);
    }
    if (any && journal_ != nullptr) journal_->acknowledged(*this, number);
}

// A job of a queue goes back to it; any other nak of a client is counted, no more.
verdict broker_session::on_nak(time_point now, const frame_view& frame) {
    if (!frame.has(key::about))
        return fail(now, errc::bad_frame, "the nak of a client names a message in the field about");
    switch (take_number(now, frame.number)) {
    case intake::closing: return verdict::closing;
    case intake::duplicate: return verdict::go_on;
    case intake::fresh: break;
    }
    ++counters_.client_naks;
    refuse_job(now, frame.integer(key::about));
    processed(now, frame.number, true);
    return verdict::go_on;
}

}  // namespace mbus::mbws
