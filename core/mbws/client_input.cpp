// What a client's session receives.
#include <algorithm>
#include <utility>

#include "mbws/client_session.hpp"

namespace mbus::mbws {

bool client_session::receive(time_point now, std::string_view octets) {
    feed(octets);
    for (;;) {
        switch (step(now)) {
        case stepped::need_more: return true;
        case stepped::closing: return false;
        case stepped::frame: break;
        }
    }
}

void client_session::feed(std::string_view octets) {
    if (state_ != state::idle && state_ != state::failed) reader_.feed(octets);
}

client_session::stepped client_session::step(time_point now) {
    if (state_ == state::idle || state_ == state::failed) return stepped::closing;
    switch (reader_.next(frame_)) {
    case frame_reader::status::need_more: return stepped::need_more;
    case frame_reader::status::failed:
        fail(reader_.failure().code, reader_.failure().text);
        return stepped::closing;
    case frame_reader::status::frame: break;
    }
    return handle(now, frame_) ? stepped::frame : stepped::closing;
}

bool client_session::step_again(std::string_view& body) noexcept {
    if (!delivered_plain_ || state_ != state::connected || !reader_.next_repeats(frame_)) return false;
    body = frame_.body;
    return true;
}

bool client_session::handle(time_point now, const frame_view& frame) {
    if (state_ == state::idle || state_ == state::failed) return false;
    heard_ = now;
    delivered_plain_ = false;
    if (!dispatch(now, frame)) return false;
    return state_ == state::connecting || state_ == state::connected;
}

bool client_session::dispatch(time_point now, const frame_view& frame) {
    if (frame.verb == verb::error) return on_error(frame);
    if (state_ == state::connecting) {
        if (frame.verb == verb::connected) return on_connected(now, frame);
        return fail(errc::bad_frame,
                    "the daemon answered connect with something else; are both of one version?");
    }
    switch (frame.verb) {
    case verb::ok: return on_ok(frame);
    case verb::nak: return on_nak(now, frame);
    case verb::message: return on_message(now, frame);
    case verb::ack: return on_ack(now, frame.number);
    case verb::receipt: return on_receipt(now, frame);
    case verb::entity:
        if (const auto seen = entity_state_from_string(frame.text(key::state))) {
            handler_.on_entity(frame.integer32(key::request), frame.text(key::entity), *seen);
        }
        return true;
    case verb::ping: write(verb::pong, frame.number, frame.body); return true;
    case verb::pong: handler_.on_pong(frame.body); return true;
    case verb::close: return on_close();
    default: break;
    }
    return fail(errc::bad_frame, "the daemon sent a frame that only clients send, or of a later version");
}

bool client_session::fail(errc code, std::string_view text) {
    state_ = state::failed;
    handler_.on_fault({code, std::string{text}}, true);
    return false;
}

bool client_session::on_error(const frame_view& frame) {
    const errc code = errc_from_string(frame.text(key::code));
    state_ = state::failed;
    bool again = true;
    switch (code) {
    case errc::taken_over:
    case errc::unauthorized:
    case errc::forbidden:
    case errc::bad_version:
    case errc::bad_frame:
    case errc::too_large:
    case errc::window: again = false; break;  // the same would happen again
    default: break;
    }
    handler_.on_fault({code, std::string{frame.text(key::text)}}, again);
    return false;
}

bool client_session::on_close() {
    state_ = state_ == state::idle ? state::idle : state::failed;
    closed_ = true;
    token_.clear();
    give_up_all();
    handler_.on_closed();
    return false;
}

bool client_session::on_connected(time_point now, const frame_view& frame) {
    const std::string_view token = frame.text(key::session);
    if (frame.integer(key::version) != protocol_version || token.empty()) {
        return fail(errc::bad_version, "the daemon answered connect in another version of MBWS than 1");
    }
    const bool resumed = resuming_ && frame.integer(key::resumed) != 0;
    window_ = frame.integer32(key::window);
    if (options_.window != 0 && window_ == 0) return fail(errc::window, "the daemon granted no window");
    peer_size_ = frame.integer32(key::size, frame_octets_default);
    told_ = told_addresses{frame.integer32(key::addresses)};
    plain_to_.clear();
    if (resumed) {
        drop_acknowledged(frame.integer(key::received));
    } else {
        start_new_session();
    }
    token_ = options_.window != 0 ? token : std::string_view{};
    state_ = state::connected;
    acknowledged_out_ = taken_;  // `received` has said so
    sent_ = 0;
    connected_info info;
    info.resumed = resumed;
    info.first = !std::exchange(had_session_, true);
    info.window = window_;
    info.expiry = frame.integer32(key::expiry);
    info.size = peer_size_;
    info.broker = frame.text(key::broker);
    handler_.on_connected(info);
    if (const std::uint64_t missed = frame.integer(key::missed)) handler_.on_missed(missed);
    if (resumed) {
        restart_watches();
    } else {
        send_requests(true);
    }
    note_taken(now);
    pump();
    return true;
}

// The broker knows nothing of what was before. What was sent in the old session may or may not have
// been routed; what was not sent goes out in the new one.
void client_session::start_new_session() {
    std::vector<message_token> unknown;
    if (options_.window != 0) {
        for (const auto& [number, token] : open_) unknown.push_back(token);
        open_.clear();
        for (; transmitted_ > 0; --transmitted_) {
            if (kept_.front().refuses == 0) unknown.push_back(kept_.front().token);
            kept_octets_ -= kept_.front().frame.size();
            kept_.pop_front();
        }
        drop_refusals();
    }
    sent_ = 0;
    acknowledged_in_ = 0;
    received_ = taken_ = acknowledged_out_ = 0;
    takeovers_.clear();
    ack_due_ = never;
    give_up(std::move(unknown));
}

// Jobs of the old session went back by themselves; in the new one their numbers are those of others.
void client_session::drop_refusals() {
    for (std::size_t left = kept_.size(); left > 0; --left) {
        kept_message first = std::move(kept_.front());
        kept_.pop_front();
        if (first.refuses == 0) kept_.push_back() = std::move(first);
        else kept_octets_ -= first.frame.size();
    }
}

// --- acknowledgements of ours -------------------------------------------------------------------

void client_session::drop_acknowledged(std::uint64_t up_to) {
    message_token last = 0;
    while (acknowledged_in_ < up_to && transmitted_ > 0) {
        ++acknowledged_in_;
        --transmitted_;
        if (sent_ > 0) --sent_;
        if (kept_.front().token != 0) last = kept_.front().token;
        const std::uint64_t refused = kept_.front().refuses;
        kept_octets_ -= kept_.front().frame.size();
        kept_.pop_front();
        if (refused != 0) handler_.on_refusal_heard(refused);
    }
    if (last != 0) handler_.on_taken_over(last);
}

bool client_session::on_ack(time_point /*now*/, std::uint64_t number) {
    if (options_.window == 0 || number > acknowledged_in_ + transmitted_) {
        return fail(errc::bad_frame, "the daemon acknowledged a message that was never sent");
    }
    drop_acknowledged(number);
    pump();
    return true;
}

// --- what the broker numbers --------------------------------------------------------------------

client_session::intake client_session::take_number(time_point now, std::uint64_t number) {
    if (options_.window == 0) return intake::fresh;
    if (number != 0 && number <= received_) {
        ++duplicates_;
        ack_due_ = now;  // the ack was lost with a connection
        return intake::duplicate;
    }
    if (number != received_ + 1) {
        fail(errc::bad_frame, "the daemon skipped a number");
        return intake::failed;
    }
    received_ = number;
    return intake::fresh;
}

void client_session::mark_taken(std::uint64_t number, bool done) {
    if (options_.window == 0) return;
    if (done && takeovers_.empty()) {
        taken_ = number;
    } else {
        takeovers_.push_back(static_cast<std::uint8_t>(done));
    }
}

void client_session::take_over(time_point now, std::uint64_t number) {
    for (std::uint64_t n = taken_ + 1; n <= number && n - taken_ - 1 < takeovers_.size(); ++n) {
        takeovers_[n - taken_ - 1] = 1;
    }
    while (!takeovers_.empty() && takeovers_.front() != 0) {
        takeovers_.pop_front();
        ++taken_;
    }
    note_taken(now);
}

// After max(1, window/4) frames or 20 ms.
void client_session::note_taken(time_point now) {
    if (state_ != state::connected || taken_ <= acknowledged_out_) return;
    if (taken_ - acknowledged_out_ >= std::max<std::uint64_t>(1, options_.window / 4)) {
        write_ack();
    } else if (ack_due_ == never) {
        ack_due_ = now + std::chrono::milliseconds{20};
    }
}

void client_session::write_ack() {
    acknowledged_out_ = taken_;
    ack_due_ = never;
    write(verb::ack, taken_);
}

// What the header of a message says.
void client_session::describe(const frame_view& frame, delivered_message& what) {
    what.to = frame.text(key::to);
    what.from = frame.text(key::from);
    what.entity = frame.text(key::entity);
    what.type = frame.text(key::type);
    what.time = frame.integer(key::time);
    what.sequence.reset();
    if (frame.has(key::sequence)) what.sequence = frame.integer32(key::sequence);
    what.interface = frame.text(key::interface);
    what.reliable = frame.reliable();
    what.redelivered = frame.redelivered();
    what.monitor = frame.text(key::mode) == to_string(attach_mode::monitor);
}

bool client_session::on_message(time_point now, const frame_view& frame) {
    const bool same = std::exchange(delivered_repeatable_, false) && frame.repeats;
    switch (take_number(now, frame.number)) {
    case intake::failed: return false;
    case intake::duplicate: return true;
    case intake::fresh: break;
    }
    const std::uint64_t missed = frame.integer(key::missed);
    if (missed != 0) handler_.on_missed(missed);
    bool handled = true;
    if (frame.has(key::code)) {
        handler_.on_missed(1);  // it had a number already when it had to go: nothing to hand on
    } else {
        delivered_message& what = delivered_;
        what.repeats = same;
        what.body = frame.body;
        what.number = options_.window == 0 ? 0 : frame.number;
        if (!what.repeats) describe(frame, what);
        what.frame = &frame;
        delivered_repeatable_ = true;
        delivered_plain_ = options_.window == 0 && missed == 0;
        handled = handler_.on_message(what);
    }
    mark_taken(frame.number, handled);
    note_taken(now);
    return true;
}

void client_session::settle(std::uint64_t number, const message_result& how) {
    message_token token = 0;
    if (const auto found = open_.find(number); found != open_.end()) {
        token = found->second;
        open_.erase(found);
    } else if (options_.window != 0 && number > acknowledged_in_ &&
               number <= acknowledged_in_ + transmitted_ && !how.ok) {
        token = kept_[number - acknowledged_in_ - 1].token;  // refused, though no result was wanted
    }
    if (token != 0) handler_.on_result(token, how);
}

bool client_session::on_receipt(time_point now, const frame_view& frame) {
    switch (take_number(now, frame.number)) {
    case intake::failed: return false;
    case intake::duplicate: return true;
    case intake::fresh: break;
    }
    message_result how;
    how.ok = !frame.has(key::code);
    if (!how.ok) how.code = errc_from_string(frame.text(key::code));
    how.text = frame.text(key::text);
    how.matched = frame.integer32(key::matched);
    how.entity = frame.text(key::entity);
    how.tried = frame.integer32(key::tried);
    how.took = frame.integer32(key::took);
    settle(frame.integer(key::about), how);
    mark_taken(frame.number, true);
    note_taken(now);
    return true;
}

bool client_session::on_nak(time_point now, const frame_view& frame) {
    if (!frame.has(key::about)) {
        on_request_nak(frame);
        return true;
    }
    switch (take_number(now, frame.number)) {
    case intake::failed: return false;
    case intake::duplicate: return true;
    case intake::fresh: break;
    }
    message_result how;
    how.code = errc_from_string(frame.text(key::code));
    how.text = frame.text(key::text);
    settle(frame.integer(key::about), how);
    mark_taken(frame.number, true);
    note_taken(now);
    return true;
}

}  // namespace mbus::mbws
