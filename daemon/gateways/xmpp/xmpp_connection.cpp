#include "gateways/xmpp/xmpp_connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "websocket/frame.hpp"

namespace mbusd::xmpp {
namespace {

using mbus::websocket::close_code;
using mbus::websocket::message_reader;
using mbus::websocket::opcode;

// Memory that an idle connection may keep.
constexpr std::size_t idle_output_octets = 1024;

}  // namespace

connection::connection(connection_environment& environment, std::uint64_t id, std::unique_ptr<byte_stream> socket,
                       std::shared_ptr<exchange> handshake, stream_options options)
    : environment_(environment),
      id_(id),
      socket_(std::move(socket)),
      handshake_(std::move(handshake)),
      reader_({.side = mbus::websocket::role::server, .message_octets_max = message_octets_before_login}),
      stream_(*this, environment.domain, options, environment.now()),
      heard_(environment.now()) {}

connection::~connection() { give_up(); }

void connection::start(std::string leftover) {
    ++environment_.counters.opened;
    set_deadline();
    if (!leftover.empty()) {
        reader_.feed(leftover);
        take_messages(environment_.now());
    }
    wait_readable();
}

void connection::end() { stream_.close(environment_.now()); }

void connection::give_up() {
    if (std::exchange(given_up_, true)) return;
    stream_.lost(environment_.now());
    handshake_ = nullptr;
    socket_->close();
    // From here on nothing outside is touched: a handler may keep this object beyond its gateway.
    environment_.ended(id_);
}

// --- time -------------------------------------------------------------------------------------------------

void connection::set_deadline() {
    if (given_up_) return;
    const auto silence = heard_ + (pinged_ ? 3 * ping_after : ping_after);
    environment_.deadline(id_, std::min({stream_.deadline(), silence, linger_until_}));
}

void connection::advance(time_point now) {
    if (given_up_) return;
    if (linger_until_ <= now) return give_up();
    if (heard_ + 3 * ping_after <= now) {
        ++environment_.counters.silent;
        return give_up();
    }
    if (heard_ + ping_after <= now && !std::exchange(pinged_, true) && !close_written_) {
        mbus::websocket::append_frame(output_, opcode::ping, {});
        environment_.turns.add(*this);
    }
    stream_.advance(now);
    set_deadline();
}

// --- reading ------------------------------------------------------------------------------------------------

void connection::wait_readable() {
    if (given_up_) return;
    paused_ = waiting_output() > output_octets_pause;  // then end_of_turn() goes on
    if (paused_ || std::exchange(waiting_to_read_, true)) return;
    socket_->wait_readable([this] {  // never called after give_up()
        const auto keep_alive = shared_from_this();
        waiting_to_read_ = false;
        readable();
    });
}

void connection::readable() {
    const auto got = socket_->read(environment_.read_buffer);
    if (got.what == io_state::ended || got.what == io_state::failed) return give_up();
    if (got.what == io_state::done) {
        const auto now = environment_.now();
        heard_ = now;
        pinged_ = false;
        reader_.feed(environment_.read_buffer.first(got.octets));
        take_messages(now);
    }
    wait_readable();
}

void connection::take_messages(time_point now) {
    mbus::websocket::received_message got;
    for (;;) {
        if (waiting_output() > output_octets_pause) {
            // The rest when the client has read some.
            reader_.keep();
            paused_ = true;
            set_deadline();
            return;
        }
        switch (reader_.next(got)) {
        case message_reader::status::need_more:
            if (stream_.bound()) handshake_ = nullptr;
            set_deadline();
            return;
        case message_reader::status::failed: {
            ++environment_.counters.malformed;
            const auto why = reader_.failure();
            return refuse(why.code, why.text);
        }
        case message_reader::status::message: break;
        }
        switch (got.what) {
        case opcode::text:
            stream_.receive(now, got.payload);
            if (stream_.logged_in()) reader_.set_message_octets_max(std::max(message_octets_max, environment_.domain.limits(true).octets));
            break;
        case opcode::binary: stream_.receive_binary(now); break;
        case opcode::ping:
            if (!close_written_) mbus::websocket::append_frame(output_, opcode::pong, got.payload);
            environment_.turns.add(*this);
            break;
        case opcode::close:
            peer_closed_ = true;
            stream_.lost(now);
            write_close(got.code == close_code::none ? close_code::none : close_code::normal, {});
            return;
        default: break;
        }
        if (given_up_) return;
    }
}

// The client broke the WebSocket itself: its stream is lost with it.
void connection::refuse(close_code code, std::string_view reason) {
    stream_.lost(environment_.now());
    write_close(code, reason);
}

void connection::login_failed() {
    if (handshake_) handshake_->credential_failed();
}

std::chrono::milliseconds connection::login_wait() { return handshake_ ? handshake_->password_delay() : std::chrono::milliseconds{0}; }

// --- writing ------------------------------------------------------------------------------------------------

void connection::send(std::string message) {
    if (given_up_ || close_written_) return;
    environment_.turns.add(*this);
    // What one turn makes is written at its end; more than a client may have waiting is not made at all.
    too_far_behind_ = too_far_behind_ || waiting_output() + message.size() > output_octets_max;
    if (!too_far_behind_) mbus::websocket::append_frame(output_, opcode::text, message);
}

// The stream has ended; the draft's framing wants the close frame empty, the RFC takes it.
void connection::close() { write_close(close_code::none, {}); }

void connection::write_close(close_code code, std::string_view reason) {
    if (given_up_ || std::exchange(close_written_, true)) return;
    mbus::websocket::append_frame(output_, opcode::close, mbus::websocket::close_payload(code, reason));
    linger_until_ = environment_.now() + linger_patience;
    set_deadline();
    environment_.turns.add(*this);
}

void connection::end_of_turn() {
    if (given_up_) return;
    const auto keep_alive = shared_from_this();
    if (output_at_ > waiting_output()) {
        // Most of it has gone: a client that is always a little behind may not make it grow for ever.
        output_.erase(0, output_at_);
        output_at_ = 0;
    }
    if (!waiting_to_write_) write();
    if (!given_up_ && too_far_behind_) {
        // Whoever does not read may come back and resume; what waits is in its session.
        ++environment_.counters.stalled;
        return give_up();
    }
    if (!given_up_ && paused_ && waiting_output() <= output_octets_pause) {
        take_messages(environment_.now());
        wait_readable();
    }
    // The server may have ended the stream from outside of what the client said.
    if (stream_.closing() && !given_up_) set_deadline();
}

// A client that is read nothing from shows by this that it lives.
void connection::drained(std::size_t octets) {
    output_at_ += octets;
    if (paused_ && octets != 0) heard_ = environment_.now();
}

void connection::write() {
    while (output_at_ < output_.size()) {
        const std::array<octet_view, 1> piece{{{output_.data() + output_at_, output_.size() - output_at_}}};
        const auto put = socket_->write(piece);
        if (put.what == io_state::failed || put.what == io_state::ended) return give_up();
        if (put.what == io_state::again) {
            waiting_to_write_ = true;
            socket_->wait_writable([this] {  // never called after give_up()
                const auto keep_alive = shared_from_this();
                waiting_to_write_ = false;
                environment_.turns.add(*this);
            });
            return;
        }
        drained(put.octets);
    }
    output_at_ = 0;
    output_.clear();
    if (output_.capacity() > idle_output_octets) std::string{}.swap(output_);
    if (!close_written_) return;
    socket_->finish_output();
    if (peer_closed_) give_up();
}

}  // namespace mbusd::xmpp
