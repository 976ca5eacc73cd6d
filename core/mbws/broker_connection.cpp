#include "mbws/broker_connection.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace mbus::mbws {
namespace {

constexpr std::uint32_t websocket_expiry_default = 60;  // s; the local binding's is 0
constexpr std::size_t token_octets_min = 32;
constexpr std::size_t token_octets_max = 64;

}  // namespace

broker_connection::broker_connection(connection_port& port, session_host& host, connection_info info,
                                     time_point now)
    : port_(port),
      host_(host),
      info_(info),
      connect_until_(now + connect_patience),
      heard_(now),
      pinged_(now) {}

broker_connection::~broker_connection() {
    // lost() should have been called; the session must not write to what is gone.
    if (link_session* const link = std::exchange(link_, nullptr)) link->lost(heard_);
    if (session_ == nullptr) return;
    session_->connection_ = nullptr;
    session_->port_ = nullptr;
}

void broker_connection::refuse(errc code, std::string_view text) {
    std::string fields;
    append_field(fields, key::code, to_string(code <= errc::internal ? code : errc::internal));
    append_field(fields, key::text, make_field_text(text, 1024));
    port_.append({verb::error, 0, 0, {}, fields, {}, nullptr});
    closing_ = true;
    port_.finish(code, text);
}

verdict broker_connection::handle(time_point now, const frame_view& frame) {
    if (closing_) return verdict::closing;
    heard_ = now;
    if (session_ != nullptr) return session_->handle(now, frame);
    if (link_ != nullptr) return link_->handle(now, frame);
    if (frame.verb != verb::connect) {
        refuse(errc::bad_frame, "the first frame of a connection is connect");
        return verdict::closing;
    }
    return connect(now, frame);
}

verdict broker_connection::connect(time_point now, const frame_view& frame) {
    if (frame.integer(key::version) < protocol_version) {
        refuse(errc::bad_version,
               "this broker speaks version 1; connect names the highest version that the client speaks");
        return verdict::closing;
    }
    connect_request request;
    request.connection = info_.id;
    request.local = info_.local;
    request.name = frame.text(key::name);
    request.auth = frame.text(key::auth);
    request.received = frame.integer(key::received);
    request.window =
        std::min(frame.integer32(key::window, info_.local ? window_default_local : window_default_websocket),
                 window_max);
    request.expiry = frame.integer32(key::expiry, info_.local ? 0 : websocket_expiry_default);
    request.size = std::min(frame.integer32(key::size, frame_octets_default),
                            static_cast<std::uint32_t>(frame_octets_limit));
    request.durable = frame.integer(key::durable) != 0;
    const auto remembered = static_cast<std::uint16_t>(frame.integer(key::addresses));
    if (remembered != 0) request.addresses = info_.addresses;
    request.link = frame.text(key::mode) == "link";
    request.broker = frame.text(key::broker);
    if (frame.has(key::mode) && !request.link) {
        refuse(errc::bad_frame, "mode of connect is link, or missing");
        return verdict::closing;
    }
    if (request.size < frame_octets_min) {
        refuse(errc::bad_frame, "size must be at least 131072, so that every message of the bus fits");
        return verdict::closing;
    }
    if (request.window == 0 && !info_.local) {
        refuse(errc::window,
               "a WebSocket session needs a window of 1 to 65536; window 0 is for the local socket");
        return verdict::closing;
    }
    // What no broker gave out is not looked up, and without a window nothing was kept.
    const std::string_view token = frame.text(key::session);
    if (request.window != 0 && token.size() >= token_octets_min && token.size() <= token_octets_max) {
        request.session = token;
    }
    if (request.link) return connect_link(now, request);
    const auto opened = host_.open(now, request);
    if (!opened) {
        refuse(opened.error().code, opened.error().text);
        return verdict::closing;
    }
    connect_until_ = never;
    if (info_.addresses != 0) port_.remembers(remembered);
    opened->session->begin(now, *this, request, *opened);
    return verdict::go_on;
}

verdict broker_connection::connect_link(time_point now, const connect_request& request) {
    if (request.window == 0) {
        refuse(errc::window, "a link needs a window of 1 to 65536");
        return verdict::closing;
    }
    if (!is_broker_id(request.broker)) {
        refuse(errc::bad_frame, "connect with mode link names the calling broker in the field broker: "
                                "16 lower-case hexadecimal digits");
        return verdict::closing;
    }
    const auto opened = host_.open_link(now, request, *this, port_);
    if (!opened) {
        refuse(opened.error().code, opened.error().text);
        return verdict::closing;
    }
    connect_until_ = never;
    if (closing_) return verdict::closing;  // the link was closed at once
    link_ = *opened;
    return verdict::go_on;
}

void broker_connection::link_released() noexcept {
    link_ = nullptr;
    closing_ = true;
}

void broker_connection::fault(time_point now, const error& failure) {
    if (closing_) return;
    if (session_ != nullptr) {
        session_->fault(now, failure.code, failure.text);
    } else if (link_ != nullptr) {
        link_->fault(now, failure.code, failure.text);
    } else {
        refuse(failure.code, failure.text);
    }
}

void broker_connection::lost(time_point now) {
    closing_ = true;
    if (broker_session* const session = std::exchange(session_, nullptr)) session->connection_lost(now);
    if (link_session* const link = std::exchange(link_, nullptr)) link->lost(now);
}

void broker_connection::fill(time_point now) {
    if (session_ != nullptr) session_->fill(now);
    if (link_ != nullptr) link_->fill(now);
}

bool broker_connection::wants_input() const noexcept {
    if (link_ != nullptr) return !closing_ && link_->wants_input();
    return !closing_ && (session_ == nullptr || session_->wants_input());
}

void broker_connection::advance(time_point now) {
    if (closing_ || link_ != nullptr) return;  // a link has its own pings
    if (session_ == nullptr && connect_until_ <= now) {
        refuse(errc::bad_frame, "no connect within 5 seconds");
        return;
    }
    if (info_.local || session_ == nullptr) return;
    if (heard_ + websocket_silence_max <= now) {
        session_->fault(now, errc::no_session, "nothing was heard for 60 seconds; answer pings");
    } else if (std::max(heard_, pinged_) + websocket_ping_after <= now) {
        pinged_ = now;
        port_.append({verb::ping, 0, 0, {}, {}, {}, nullptr});
        port_.wake();
    }
}

time_point broker_connection::next_deadline() const noexcept {
    if (closing_ || link_ != nullptr) return never;
    if (session_ == nullptr) return connect_until_;
    if (info_.local) return never;
    return std::min(heard_ + websocket_silence_max, std::max(heard_, pinged_) + websocket_ping_after);
}

}  // namespace mbus::mbws
