#include "gateways/mbws/websocket_connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mbusd {
namespace {

using mbus::mbws::frame_view;
using mbus::mbws::verdict;
using mbus::mbws::websocket_input;

// Pieces of one write; more than 64 messages with shared bodies wait for the next turn.
constexpr std::size_t pieces_max = 64;

}  // namespace

websocket_connection::websocket_connection(websocket_environment& environment, std::unique_ptr<byte_stream> stream,
                                           std::shared_ptr<const peer_identity> who,
                                           std::shared_ptr<exchange> handshake, bool native)
    : environment_(environment),
      stream_(std::move(stream)),
      id_(environment.hub.connections().add(std::move(who), this)),
      input_({mbus::websocket::role::server, native, environment.hub.session_settings().frame_octets_max}),
      connection_(*this, environment.hub, {.id = id_, .local = false}, environment.now()),
      handshake_(std::move(handshake)) {
    use(environment.output);
}

websocket_connection::~websocket_connection() { close(); }

void websocket_connection::start(std::string leftover) {
    ++environment_.counters.opened;
    environment_.deadline(id_, connection_.next_deadline());
    if (!leftover.empty()) {
        input_.feed(leftover);
        take_frames();
    }
    if (!paused_) wait_readable();
}

void websocket_connection::end(mbus::errc reason, std::string_view text) {
    if (closed_ || finished()) return;
    release_session(environment_.now());
    finish(reason, text);
}

void websocket_connection::close() {
    if (std::exchange(closed_, true)) return;
    release_session(environment_.now());
    handshake_ = nullptr;
    stream_->close();
    // From here on nothing outside is touched: a handler may keep this object beyond its gateway.
    environment_.hub.connections().remove(id_);
    environment_.ended(id_);
}

void websocket_connection::touch_session() {
    if (auto* const session = connection_.session()) environment_.hub.touch(*session);
}

void websocket_connection::release_session(mbus::mbws::time_point now) {
    touch_session();
    connection_.lost(now);
}

// --- time -----------------------------------------------------------------------------------------

void websocket_connection::advance(mbus::mbws::time_point now) {
    if (closed_) return;
    if (finished()) {
        if (linger_until_ <= now) {
            close();
        } else {
            environment_.deadline(id_, linger_until_);
        }
        return;
    }
    if (connection_.next_deadline() <= now) connection_.advance(now);
    // Each frame moves the deadline; it is looked at again when the old one has come.
    const auto next = connection_.next_deadline();
    if (!finished() && next != mbus::mbws::never) environment_.deadline(id_, next);
}

void websocket_connection::set_linger() {
    linger_until_ = environment_.now() + websocket_linger_patience;
    environment_.deadline(id_, linger_until_);
}

// --- reading ----------------------------------------------------------------------------------------

void websocket_connection::wait_readable() {
    if (closed_ || std::exchange(waiting_to_read_, true)) return;
    stream_->wait_readable([this] {  // never called after close()
        const auto keep_alive = shared_from_this();
        waiting_to_read_ = false;
        readable();
    });
}

void websocket_connection::readable() {
    if (reading_ == reading::frames && !connection_.wants_input() && !connection_.closing()) {
        paused_ = true;  // read_again() goes on
        return;
    }
    const auto got = stream_->read(environment_.read_buffer);
    if (got.what == io_state::ended || got.what == io_state::failed) {
        close();
        return;
    }
    if (got.what == io_state::done) {
        environment_.counters.octets_in += got.octets;
        if (reading_ != reading::nothing) {
            input_.feed(environment_.read_buffer.first(got.octets));
            take_frames();
        }
    }
    if (!paused_) wait_readable();
}

void websocket_connection::take_frames() {
    const auto now = environment_.now();
    while (!closed_ && take_one(now)) {}
    touch_session();
    wake();
}

// False: stop for now.
bool websocket_connection::take_one(mbus::mbws::time_point now) {
    if (reading_ == reading::nothing) return false;
    if (reading_ == reading::frames && !connection_.closing() && !connection_.wants_input()) {
        input_.keep();
        paused_ = true;
        return false;
    }
    frame_view frame;
    switch (input_.next(frame)) {
    case websocket_input::status::need_more: return false;
    case websocket_input::status::ping: pong(input_.payload()); return true;
    case websocket_input::status::pong: return true;
    case websocket_input::status::frame: take_frame(now, frame); return true;
    case websocket_input::status::closed: peer_closed(now); return false;
    case websocket_input::status::failed: refuse_input(now); return false;
    }
    return false;
}

void websocket_connection::take_frame(mbus::mbws::time_point now, const frame_view& frame) {
    if (connection_.closing()) return;  // after `error` or `close` only the client's close frame counts
    const bool first = handshake_ != nullptr;
    if (first) set_binding(input_.last_binding());
    if (connection_.handle(now, frame) == verdict::closing) reading_ = std::max(reading_, reading::closing);
    if (first) handshake_ = nullptr;
}

void websocket_connection::refuse_input(mbus::mbws::time_point now) {
    reading_ = reading::nothing;
    if (connection_.closing() || finished()) return;
    environment_.hub.count_malformed();
    ++environment_.counters.malformed;
    close_as(input_.failure_code());
    if (handshake_) set_binding(input_.last_binding());  // instead of `connect`: its form says what is understood
    connection_.fault(now, input_.failure());
}

// A WebSocket that is closed without the verb `close` is a connection that was lost: the session may
// be resumed (docs/mbws.md, section 3).
void websocket_connection::peer_closed(mbus::mbws::time_point now) {
    peer_closed_ = true;
    reading_ = reading::nothing;
    if (!finished()) {
        release_session(now);
        answer_close(input_.peer_code());
        set_linger();
    }
    wake();
}

// Must not call the session, so the rest waits for the end of the turn.
void websocket_connection::read_again() {
    resume_ = true;
    wake();
}

// --- writing ----------------------------------------------------------------------------------------

void websocket_connection::finish(mbus::errc reason, std::string_view text) {
    if (finished()) return;
    if (handshake_ && reason == mbus::errc::unauthorized) {
        ++environment_.counters.unauthorized;
        handshake_->credential_failed();
    }
    websocket_port::finish(reason, text);
    if (reading_ == reading::frames) reading_ = reading::closing;
    if (std::exchange(paused_, false)) resume_ = true;  // its close frame may be there already
    set_linger();
}

void websocket_connection::end_of_turn() {
    if (closed_) return;
    const auto keep_alive = shared_from_this();
    if (std::exchange(resume_, false)) {
        paused_ = false;
        take_frames();
        if (!paused_) wait_readable();
        if (closed_) return;
    }
    connection_.fill(environment_.now());
    touch_session();
    if (!waiting_to_write_) write();
    if (!closed_) give_back();
}

void websocket_connection::write() {
    std::array<mbus::mbws::octet_span, pieces_max> pieces;
    std::array<octet_view, pieces_max> views;
    const auto count = gather(pieces);
    for (std::size_t i = 0; i < count; ++i) views[i] = {pieces[i].data, pieces[i].size};
    if (count > 0) {
        const auto put = stream_->write({views.data(), count});
        if (put.what == io_state::failed || put.what == io_state::ended) {
            close();
            return;
        }
        if (put.what == io_state::done) {
            environment_.counters.octets_out += put.octets;
            consumed(put.octets);
            // It made room for what waits in the session; nothing else would bring us back for that.
            connection_.fill(environment_.now());
        } else {
            hold_order();  // TLS wants the same octets again
        }
    }
    if (waiting() > 0) {
        wait_writable();
    } else if (finished()) {
        all_written();
    }
}

// The close frame is out. Who was told to go may answer; what is unread would reach it as a reset.
void websocket_connection::all_written() {
    if (peer_closed_) {
        stream_->finish_output();
        close();
    } else if (reading_ == reading::nothing && !std::exchange(output_ended_, true)) {
        stream_->finish_output();
        wait_readable();
    }
}

void websocket_connection::wait_writable() {
    if (closed_ || std::exchange(waiting_to_write_, true)) return;
    stream_->wait_writable([this] {  // never called after close()
        const auto keep_alive = shared_from_this();
        waiting_to_write_ = false;
        wake();
    });
}

}  // namespace mbusd
