// One XMPP client on a WebSocket: text messages to its stream, and the stream's messages as frames, one
// write per turn. An idle connection holds no buffer.
// Made and owned by xmpp_gateway. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gateways/xmpp/server.hpp"
#include "gateways/xmpp/stream.hpp"
#include "http/byte_stream.hpp"
#include "http/exchange.hpp"
#include "router/turn.hpp"
#include "websocket/message_reader.hpp"

namespace mbusd::xmpp {

// A message beyond this is refused from its head; between this and the stanza's limit the stream says why.
inline constexpr std::size_t message_octets_max = 1024 * 1024;
inline constexpr std::size_t message_octets_before_login = 64 * 1024;
// What may wait for a client that does not read; then the connection is given up. More than a session may
// send again at once after its resumption.
inline constexpr std::size_t output_octets_max = 2 * unacknowledged_octets_max;
// With so much waiting nothing more is read from the client: its requests make more.
inline constexpr std::size_t output_octets_pause = 1024 * 1024;
// Clients send nothing of themselves while they are idle: a ping after this long without an octet, and
// the end after three.
inline constexpr std::chrono::seconds ping_after{60};
// For the client's close frame, and for what it has not read.
inline constexpr std::chrono::seconds linger_patience{5};

struct connection_counters {
    std::uint64_t opened = 0;
    std::uint64_t malformed = 0;  // closed for what is no frame of WebSocket
    std::uint64_t stalled = 0;    // given up with too much output waiting
    std::uint64_t silent = 0;     // given up for not answering pings
};

// What a connection needs of its gateway.
struct connection_environment {
    server& domain;
    turn_queue& turns;
    std::span<char> read_buffer;                             // shared: used within one call only
    std::function<void(std::uint64_t, time_point)> deadline; // call advance() then
    std::function<void(std::uint64_t)> ended;                // the connection may be destroyed, later
    std::function<time_point()> now;
    connection_counters counters{};
};

class connection final : public stream_output, private turn_task, public std::enable_shared_from_this<connection> {
public:
    // `handshake` is told of failed logins; it is let go when the client is bound.
    connection(connection_environment& environment, std::uint64_t id, std::unique_ptr<byte_stream> socket,
               std::shared_ptr<exchange> handshake, stream_options options);
    ~connection();

    // `leftover`: what was read already.
    void start(std::string leftover);
    // The orderly end from our side.
    void end();
    // Gives the connection up at once.
    void give_up();
    void advance(time_point now);

    // stream_output
    void send(std::string message) override;
    void close() override;
    void login_failed() override;
    [[nodiscard]] std::chrono::milliseconds login_wait() override;

private:
    void end_of_turn() override;
    [[nodiscard]] std::size_t waiting_output() const noexcept { return output_.size() - output_at_; }
    void wait_readable();
    void readable();
    void take_messages(time_point now);
    void refuse(mbus::websocket::close_code code, std::string_view reason);
    void write_close(mbus::websocket::close_code code, std::string_view reason);
    void write();
    void drained(std::size_t octets);
    void set_deadline();

    connection_environment& environment_;
    std::uint64_t id_;
    std::unique_ptr<byte_stream> socket_;
    std::shared_ptr<exchange> handshake_;
    mbus::websocket::message_reader reader_;
    stream stream_;
    std::string output_;
    std::size_t output_at_ = 0;  // what of it was written
    time_point heard_;
    time_point linger_until_ = never;
    bool waiting_to_read_ = false;
    bool paused_ = false;  // nothing is read or looked at until the client has read
    bool waiting_to_write_ = false;
    bool pinged_ = false;
    bool close_written_ = false;
    bool peer_closed_ = false;
    bool given_up_ = false;
    bool too_far_behind_ = false;  // given up at the end of the turn
};

}  // namespace mbusd::xmpp
