// The life of a broker's session: connections come and go, deadlines pass. Input is in
// broker_input.cpp and broker_requests.cpp, output in broker_output.cpp.
#include "mbws/broker_session.hpp"

#include <algorithm>
#include <utility>

#include "mbws/broker_connection.hpp"

namespace mbus::mbws {

broker_session::broker_session(std::uint64_t id, std::string token, std::string identity,
                               const session_settings& settings, session_host& host)
    : id_(id), token_(std::move(token)), identity_(std::move(identity)), settings_(settings), host_(host) {}

broker_session::~broker_session() {
    if (connection_ != nullptr) connection_->session_ = nullptr;
}

bool broker_session::can_resume(std::uint64_t received) const noexcept {
    if (over_ || peer_window_ == 0 || received > known_number()) return false;
    // Everything above `received` that has a number must still be here.
    const std::uint32_t head = outbox_.head();
    const std::uint64_t first_kept =
        head == outbox::none || outbox_.at(head).number == 0 ? last_number_ + 1 : outbox_.at(head).number;
    return received + 1 >= first_kept;
}

void broker_session::begin(time_point now, broker_connection& connection, const connect_request& request,
                           const opened_session& opened) {
    const bool resumed = opened.resumed;
    if (port_ != nullptr) {
        // Takeover: the old connection is stopped and told before the new one is answered.
        write_error(errc::taken_over,
                    "another connection resumed this session; do not reconnect by yourself");
        leave_connection(errc::taken_over, "another connection resumed this session");
    }
    connection_ = &connection;
    port_ = &connection.port_;
    connection.session_ = this;
    if (token_.empty()) token_ = request.session;  // restored: only its hash was stored
    local_ = request.local;
    name_ = make_field_text(request.name, 256);
    peer_window_ = std::min(request.window, window_max);
    window_ = peer_window_ == 0 ? 0 : std::clamp(settings_.window, std::uint32_t{1}, window_max);
    peer_size_ = request.size;
    // Without a window nothing can be resumed, so nothing is kept.
    expiry_ = peer_window_ == 0 ? 0 : std::min(request.expiry, settings_.expiry_max);
    expires_at_ = never;
    input_stopped_ = false;
    written_ = 0;
    if (!resumed && expiry_ != 0) journal_ = opened.journal;
    if (resumed) rejoin(now, request.received);
    answers_.clear();  // of an older connection; its client asks again
    if (journal_ != nullptr) {
        journal_->opened(*this);
        hold_answers();
        connected_at_ = held_;
    }
    write_connected(resumed, request.addresses);
    if (resumed) {
        for (auto& watch : watches_) {
            if (!watch->active) continue;
            watch->asked.again = true;
            start_watch(now, *watch);
        }
    }
    port_->wake();
}

// The client has all up to `received`; the rest is sent again on this connection.
void broker_session::rejoin(time_point now, std::uint64_t received) {
    ++counters_.resumes;
    acknowledge_up_to(now, received);
    outbox_.rewind();
    // A nak that may not have arrived must again come before the ack of its message.
    naks_waiting_.clear();
    for (std::uint32_t i = outbox_.head(); i != outbox::none; i = outbox_.after(i)) {
        if (outbox_.at(i).nak_about() != 0) naks_waiting_.push_back(outbox_.at(i).nak_about());
    }
    ack_due_ = never;
}

void broker_session::write_connected(bool resumed, std::uint16_t addresses) {
    acknowledged_out_ = acknowledgeable();
    scratch_.clear();
    append_field(scratch_, key::version, std::uint64_t{protocol_version});
    append_field(scratch_, key::session, token_);
    append_field(scratch_, key::resumed, std::uint64_t{resumed ? 1U : 0U});
    append_field(scratch_, key::received, acknowledged_out_);
    append_field(scratch_, key::window, std::uint64_t{window_});
    append_field(scratch_, key::expiry, std::uint64_t{expiry_});
    append_field(scratch_, key::size, std::uint64_t{settings_.frame_octets_max});
    append_field(scratch_, key::durable, std::uint64_t{durable() ? 1U : 0U});
    if (!settings_.broker.empty()) append_field(scratch_, key::broker, settings_.broker);
    if (missed_ != 0) append_field(scratch_, key::missed, std::exchange(missed_, 0));
    if (addresses != 0) append_field(scratch_, key::addresses, std::uint64_t{addresses});
    write(verb::connected, scratch_);
    std::string{}.swap(scratch_);  // the longest frame that most sessions ever need it for
}

// The connection goes its own way: it writes what it has and closes.
void broker_session::leave_connection(errc reason, std::string_view text) {
    connection_->session_ = nullptr;
    connection_->closing_ = true;
    connection_ = nullptr;
    connection_port* const port = std::exchange(port_, nullptr);
    port->finish(reason, text);
}

void broker_session::connection_lost(time_point now) {
    connection_ = nullptr;
    port_ = nullptr;
    ack_due_ = never;
    overflowed_ = false;
    answers_.clear();
    for (auto& watch : watches_) {
        watch->pending.clear();
        watch->order.clear();
        watch->ok_owed = false;
    }
    if (over_) return;
    if (expiry_ == 0) {
        finish_session(now, end_reason::lost);
    } else {
        expires_at_ = now + std::chrono::seconds{expiry_};
        if (journal_ != nullptr) journal_->disconnected(*this);
    }
}

void broker_session::finish_session(time_point now, end_reason why) {
    if (over_) return;
    over_ = true;
    const bool blocking = block_until_ != never || patience_over_;
    ack_due_ = expires_at_ = block_until_ = trim_at_ = never;
    while (outbox_.head() != outbox::none) {
        const std::uint32_t index = outbox_.head();
        const outbox_entry& entry = outbox_.at(index);
        const std::uint64_t job = entry.job();
        const std::uint32_t slot = entry.slot;
        const bool sent = entry.number != 0 && entry.number <= sent_number_;
        if (!entry.settles && job == 0) count_drop(session_drop::ended, entry.messages());
        remove_entry(index);
        if (job == 0) continue;
        host_.settle_job(now, *this, *attachments_[slot], job, sent ? job_outcome::returned : job_outcome::unsent);
    }
    if (blocking) host_.room(*this);
    host_.ended(now, *this, why);
}

verdict broker_session::fail(time_point now, errc code, std::string_view text) {
    if (port_ != nullptr) {
        write_error(code, text);
        leave_connection(code, text);
    }
    connection_lost(now);
    return verdict::closing;
}

void broker_session::fault(time_point now, errc code, std::string_view text) {
    if (port_ != nullptr) fail(now, code, text);
}

void broker_session::end(time_point now, errc code, std::string_view text) {
    if (over_) return;
    if (port_ != nullptr) {
        write_error(code, text);
        leave_connection(code, text);
    }
    finish_session(now, end_reason::shut_down);
}

void broker_session::suspend(errc code, std::string_view text) {
    if (over_ || port_ == nullptr) return;
    write_error(code, text);
    leave_connection(code, text);
}

void broker_session::release() {
    if (holds_ > 0) --holds_;
    if (input_stopped_ && port_ != nullptr && wants_input()) port_->read_again();
}

bool broker_session::wants_input() noexcept {
    const bool answers_read =
        port_ == nullptr || port_->waiting() < output_octets_high + peer_size_ + answer_octets_max;
    const bool wanted = holds_ == 0 && receipts_waiting_ < receipts_waiting_max && answers_read &&
                        answers_.size() < held_answers_max;
    input_stopped_ = !wanted;
    return wanted;
}

void broker_session::advance(time_point now) {
    if (over_) return;
    if (ack_due_ <= now && port_ != nullptr) write_ack();
    if (block_until_ <= now) {
        block_until_ = never;
        patience_over_ = true;  // until there is room, senders do not wait any more
        host_.room(*this);
    }
    if (trim_at_ <= now) {
        trim_at_ = never;
        trim();
        host_.trimmed();
    }
    if (expires_at_ <= now) finish_session(now, end_reason::expired);
}

void broker_session::trim() noexcept {
    outbox_.trim();
    takeovers_.trim();
    naks_waiting_.trim();
    answers_.trim();
    std::string{}.swap(scratch_);
}

time_point broker_session::next_deadline() const noexcept {
    return std::min({ack_due_, block_until_, expires_at_, trim_at_});
}

const attachment* broker_session::find_attachment(std::uint32_t slot) const noexcept {
    return slot < attachments_.size() && attachments_[slot]->active ? attachments_[slot].get() : nullptr;
}

void broker_session::for_each_attachment(const std::function<void(const attachment&)>& visit) const {
    for (const auto& each : attachments_) {
        if (each->active) visit(*each);
    }
}

void broker_session::for_each_watch(const std::function<void(const watch_request&)>& visit) const {
    for (const auto& each : watches_) {
        if (each->active) visit(each->asked);
    }
}

}  // namespace mbus::mbws
