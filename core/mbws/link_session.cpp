// The life of a link: connections come and go, sessions begin, resume and end. Input is in
// link_input.cpp, output in link_output.cpp.
#include "mbws/link_session.hpp"

#include <algorithm>
#include <utility>

namespace mbus::mbws {
namespace {

// How long the answer to `connect` or `close` may take, and a called link may stand by.
constexpr std::chrono::seconds answer_patience{10};

constexpr std::string_view standby_text =
    "the two buses are joined already, over another link or because both daemons are on one bus";

bool ends_session(errc code) noexcept {
    return code == errc::unauthorized || code == errc::forbidden || code == errc::bad_version ||
           code == errc::no_session || code == errc::shutting_down;
}

}  // namespace

bool is_broker_id(std::string_view text) noexcept {
    return text.size() == 16 && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::string_view to_string(link_state which) noexcept {
    switch (which) {
    case link_state::idle: return "idle";
    case link_state::opening: return "opening";
    case link_state::active: return "active";
    case link_state::standby: return "standby";
    case link_state::lost: return "lost";
    case link_state::closing: return "closing";
    }
    return "idle";
}

link_session::link_session(link_role role, link_options options, link_host& host)
    : role_(role), options_(std::move(options)), host_(host) {}

link_session::~link_session() {
    // lost() or end() should have been called; the connection must not write to what is gone.
    if (carrier_ != nullptr) carrier_->link_released();
}

// --- connections --------------------------------------------------------------------------------

void link_session::join(time_point now, link_carrier& carrier, connection_port& port) {
    if (port_ != nullptr) {
        write_error(errc::taken_over, "another connection carries this link now");
        leave_connection(errc::taken_over, "another connection carries this link now");
    }
    carrier_ = &carrier;
    port_ = &port;
    heard_ = pinged_ = now;
    input_stopped_ = false;
    fault_ = {};
}

void link_session::call(time_point now, link_carrier& carrier, connection_port& port) {
    join(now, carrier, port);
    state_ = link_state::opening;
    answer_until_ = now + answer_patience;
    scratch_.clear();
    append_field(scratch_, key::version, std::uint64_t{protocol_version});
    append_field(scratch_, key::name, options_.name);
    append_field(scratch_, key::mode, "link");
    append_field(scratch_, key::broker, options_.broker);
    append_field(scratch_, key::window, std::uint64_t{options_.window});
    append_field(scratch_, key::expiry, std::uint64_t{options_.expiry});
    append_field(scratch_, key::size, std::uint64_t{options_.size});
    if (!token_.empty()) {
        append_field(scratch_, key::session, token_);
        append_field(scratch_, key::received, intake_.acknowledgeable());
    }
    write(verb::connect, scratch_);
    host_.link_touched(*this);
}

void link_session::answer(time_point now, link_carrier& carrier, connection_port& port,
                          const connect_request& request, std::string_view token, link_answer how) {
    join(now, carrier, port);
    peer_broker_ = request.broker;
    peer_window_ = std::clamp(request.window, std::uint32_t{1}, window_max);
    peer_size_ = request.size;
    expiry_ = std::min(request.expiry, options_.expiry);
    expires_at_ = never;
    if (how.resumed) {
        rejoin(request.received);
    } else {
        token_ = token;
    }
    state_ = how.standby ? link_state::standby : link_state::active;
    answer_until_ = how.standby ? now + answer_patience : never;
    scratch_.clear();
    append_field(scratch_, key::version, std::uint64_t{protocol_version});
    append_field(scratch_, key::session, token_);
    append_field(scratch_, key::resumed, std::uint64_t{how.resumed ? 1U : 0U});
    append_field(scratch_, key::received, intake_.acknowledge());
    append_field(scratch_, key::window, std::uint64_t{options_.window});
    append_field(scratch_, key::expiry, std::uint64_t{expiry_});
    append_field(scratch_, key::size, std::uint64_t{options_.size});
    append_field(scratch_, key::durable, std::uint64_t{0});
    append_field(scratch_, key::broker, options_.broker);
    if (how.standby) append_field(scratch_, key::state, "standby");
    write(verb::connected, scratch_);
    if (how.standby) {
        why_ = {errc::conflict, std::string{standby_text}};
    } else {
        port_->wake();
        host_.link_up(now, *this, how.resumed);
    }
    host_.link_touched(*this);
}

verdict link_session::on_connected(time_point now, const frame_view& frame) {
    if (role_ != link_role::calling || state_ != link_state::opening) {
        return fail(now, errc::bad_frame, "connected is the answer to one connect");
    }
    const std::string_view broker = frame.text(key::broker);
    if (frame.integer(key::version) != protocol_version) {
        return fail(now, errc::bad_version, "this broker speaks version 1");
    }
    if (!is_broker_id(broker)) {
        return fail(now, errc::bad_frame, "connected on a link names the other broker in the field broker");
    }
    answer_until_ = never;
    peer_broker_ = broker;
    if (frame.text(key::state) == "standby") {
        close(now, {errc::conflict, std::string{standby_text}});
        return verdict::go_on;
    }
    const std::uint32_t window = frame.integer32(key::window);
    if (window == 0 || window > window_max || frame.text(key::session).empty()) {
        return fail(now, errc::bad_frame, "connected on a link has a session and a window of 1 to 65536");
    }
    const bool resumed = !token_.empty() && frame.integer(key::resumed) != 0;
    if (resumed && !can_resume(frame.integer(key::received))) {
        fail(now, errc::bad_frame, "received is a number that was never sent, or one acknowledged before");
        finish(now, {errc::no_session, "the other side resumed a session from an impossible number"});
        return verdict::closing;
    }
    if (!resumed && !token_.empty()) forget_session(now);
    peer_broker_ = broker;
    token_ = frame.text(key::session);
    peer_window_ = window;
    peer_size_ = frame.integer32(key::size, frame_octets_default);
    expiry_ = frame.integer32(key::expiry);
    expires_at_ = never;
    state_ = link_state::active;
    if (resumed) rejoin(frame.integer(key::received));
    port_->wake();
    host_.link_up(now, *this, resumed);
    return port_ == nullptr ? verdict::closing : verdict::go_on;
}

// The other side has all up to `received`; the rest is sent again on this connection, requests
// without an answer too.
void link_session::rejoin(std::uint64_t received) {
    ++counters_.resumes;
    while (outbox_.head() != outbox::none) {
        const outbox_entry& first = outbox_.at(outbox_.head());
        if (first.number == 0 || first.number > received) break;
        remove_entry(outbox_.head());
    }
    outbox_.rewind();
    intake_.forget_naks();
    for (std::uint32_t i = outbox_.head(); i != outbox::none; i = outbox_.after(i)) {
        const outbox_entry& entry = outbox_.at(i);
        if (entry.settles && entry.about != 0) intake_.nak_waits(entry.about);
    }
    attaches_due_.clear();
    std::vector<std::uint32_t> again;
    for (const auto& [entity, each] : exports_) {
        if (!each.answered) again.push_back(each.request);
    }
    std::ranges::sort(again);
    for (const std::uint32_t request : again) attaches_due_.push_back(request);
    again.clear();
    for (const auto& [request, each] : withdrawals_) again.push_back(request);
    std::ranges::sort(again, {}, [this](std::uint32_t request) { return withdrawals_.at(request).after; });
    withdrawals_due_.clear();
    for (const std::uint32_t request : again) withdrawals_due_.push_back(request);
}

bool link_session::can_resume(std::uint64_t received) const noexcept {
    if (token_.empty() || received > last_number_) return false;
    const std::uint32_t head = outbox_.head();
    const std::uint64_t first_kept =
        head == outbox::none || outbox_.at(head).number == 0 ? last_number_ + 1 : outbox_.at(head).number;
    return received + 1 >= first_kept;
}

void link_session::leave_connection(errc reason, std::string_view text) {
    if (port_ == nullptr) return;
    connection_port* const port = std::exchange(port_, nullptr);
    std::exchange(carrier_, nullptr)->link_released();
    port->finish(reason, text);
}

void link_session::lost(time_point now) {
    if (port_ == nullptr) return;
    port_ = nullptr;
    carrier_ = nullptr;
    connection_lost(now);
    host_.link_touched(*this);
}

void link_session::connection_lost(time_point now) {
    intake_.pause();
    answer_until_ = never;
    if (state_ == link_state::standby || state_ == link_state::closing) {
        finish(now, error{why_});
    } else if (token_.empty() || (state_ == link_state::active && expiry_ == 0)) {
        finish(now, fault_.text.empty() ? error{errc::disconnected, "the connection broke"} : error{fault_});
    } else {
        // A failed attempt to resume gives no new time.
        if (state_ == link_state::active) expires_at_ = now + std::chrono::seconds{expiry_};
        state_ = link_state::lost;
    }
}

verdict link_session::fail(time_point now, errc code, std::string_view text) {
    write_error(code, text);
    leave_connection(code, text);
    fault_ = {code, std::string{text}};
    connection_lost(now);
    return verdict::closing;
}

void link_session::fault(time_point now, errc code, std::string_view text) {
    if (port_ != nullptr) fail(now, code, text);
    host_.link_touched(*this);
}

verdict link_session::on_error(time_point now, const frame_view& frame) {
    const errc code = errc_from_string(frame.text(key::code));
    std::string text{frame.text(key::text)};
    if (text.empty()) text = to_string(code);
    leave_connection(orderly, "");
    fault_ = {code, std::move(text)};
    if (ends_session(code)) {
        finish(now, error{fault_});
    } else {
        connection_lost(now);
    }
    return verdict::closing;
}

// --- the end ------------------------------------------------------------------------------------

void link_session::close(time_point now, const error& why) {
    if (state_ == link_state::closing || state_ == link_state::idle) return;
    if (port_ == nullptr) {
        finish(now, why);
        return;
    }
    std::vector<std::uint32_t> requests;
    for (const auto& [entity, each] : exports_) requests.push_back(each.request);
    std::ranges::sort(requests);
    for (const std::uint32_t request : requests) {
        scratch_.clear();
        append_field(scratch_, key::request, std::uint64_t{free_request()});
        append_field(scratch_, key::about, std::uint64_t{request});
        write(verb::detach, scratch_);
    }
    write(verb::close, {});
    why_ = why;
    state_ = link_state::closing;
    answer_until_ = now + answer_patience;
    // What the other side attached is of no use any more, even before it answers.
    import_of_.clear();
    for (const auto& [request, each] : std::exchange(imports_, {})) host_.link_detach(now, *this, each.handle);
    host_.link_touched(*this);
}

verdict link_session::on_close(time_point now) {
    const bool ours = state_ == link_state::closing;
    if (!ours) write(verb::close, {});
    leave_connection(orderly, "");
    finish(now, ours || state_ == link_state::standby
                    ? error{why_}
                    : error{errc::disconnected, "the other side closed the link"});
    return verdict::closing;
}

void link_session::end(time_point now, const error& why) {
    if (port_ != nullptr) {
        write_error(why.code, why.text);
        leave_connection(why.code, why.text);
    }
    if (state_ != link_state::idle) finish(now, why);
}

void link_session::finish(time_point now, const error& why) {
    state_ = link_state::idle;
    answer_until_ = expires_at_ = never;
    const error reason = why;  // it may be a member
    forget_session(now);
    host_.link_ended(now, *this, reason);
}

// Nothing of the session is kept: what nobody acknowledged has no known fate, and it is not sent
// again in another session.
void link_session::forget_session(time_point now) {
    while (outbox_.head() != outbox::none) {
        const outbox_entry& gone = outbox_.at(outbox_.head());
        if (!gone.settles && gone.droppable) ++counters_.dropped_ended;
        remove_entry(outbox_.head());
    }
    outbox_.trim();
    std::vector<std::uint64_t> tokens;
    for (const auto& [until, token] : patience_) tokens.push_back(token);
    for (const std::uint64_t token : tokens) {
        give_up(now, token, errc::not_acknowledged,
                "the link to the receiver's daemon broke; whether it arrived is unknown");
    }
    ++epoch_;
    numbered_.clear();
    last_number_ = 0;
    intake_.reset();
    receipts_waiting_ = 0;
    token_.clear();
    from_text_.clear();
    exports_.clear();
    by_request_.clear();
    attaches_due_.release();
    withdrawals_.clear();
    withdrawing_.clear();
    withdrawals_due_.release();
    import_of_.clear();
    for (const auto& [request, each] : std::exchange(imports_, {})) host_.link_detach(now, *this, each.handle);
}

// --- time ---------------------------------------------------------------------------------------

void link_session::advance(time_point now) {
    while (!patience_.empty() && patience_.begin()->first <= now) {
        give_up(now, patience_.begin()->second, errc::not_acknowledged,
                "no receipt came over the link in time; the receiver's daemon may be gone");
    }
    if (port_ == nullptr) {
        if (expires_at_ <= now) finish(now, {errc::expired, "the link was away for longer than its session lives"});
        return;
    }
    if (answer_until_ <= now) {
        if (state_ == link_state::opening) {
            fail(now, errc::no_session, "no answer to connect within 10 seconds");
        } else {
            leave_connection(orderly, "");
            finish(now, error{why_});
        }
        return;
    }
    if (heard_ + websocket_silence_max <= now) {
        fail(now, errc::no_session, "nothing was heard for 60 seconds; answer pings");
        return;
    }
    if (std::max(heard_, pinged_) + websocket_ping_after <= now) {
        pinged_ = now;
        write(verb::ping, {});
        outbox_.trim();  // a quiet moment
    }
    if (intake_.due() <= now) write_ack();
}

time_point link_session::next_deadline() const noexcept {
    time_point next = patience_.empty() ? never : patience_.begin()->first;
    if (port_ == nullptr) return std::min(next, expires_at_);
    next = std::min({next, answer_until_, intake_.due(), heard_ + websocket_silence_max});
    return std::min(next, std::max(heard_, pinged_) + websocket_ping_after);
}

bool link_session::wants_input() noexcept {
    const bool answers_read =
        port_ == nullptr || port_->waiting() < output_octets_high + peer_size_ + answer_octets_max;
    const bool wanted = receipts_waiting_ < receipts_waiting_max && answers_read;
    input_stopped_ = !wanted;
    return wanted;
}

}  // namespace mbus::mbws
