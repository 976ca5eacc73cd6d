// One client on a WebSocket: one read and one write per turn, frames in and out.
//
// An idle connection holds no buffer: what is read goes through one buffer of the gateway, what is to
// be written stands in the port only while the client is slower than the daemon. When the session
// or a fault has finished the port, its close frame is the last that goes out; then the connection waits
// for that of the client, for a while (RFC 6455 s7.1.1).
// Made and owned by mbws_gateway. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "http/byte_stream.hpp"
#include "http/exchange.hpp"
#include "mbws/broker_connection.hpp"
#include "mbws/websocket_input.hpp"
#include "mbws/websocket_port.hpp"
#include "router/router.hpp"
#include "router/turn.hpp"

namespace mbusd {

// For a client that does not read our last words, or does not answer our close frame.
inline constexpr std::chrono::seconds websocket_linger_patience{5};

struct websocket_counters {
    std::uint64_t opened = 0;
    std::uint64_t malformed = 0;     // closed for what is no frame: 1002, 1007, 1009
    std::uint64_t unauthorized = 0;  // `connect` without a good token
    std::uint64_t octets_in = 0;
    std::uint64_t octets_out = 0;
};

// What a connection needs of its gateway.
struct websocket_environment {
    router& hub;
    turn_queue& turns;
    std::span<char> read_buffer;                                   // shared: used within one call only
    mbus::mbws::output_port::memory_pool& output;                  // shared: held only while something waits
    std::function<void(std::uint64_t, mbus::mbws::time_point)> deadline;  // call advance() then
    std::function<void(std::uint64_t)> ended;                      // the connection may be destroyed, later
    std::function<mbus::mbws::time_point()> now;
    websocket_counters counters{};
};

class websocket_connection final : public mbus::mbws::websocket_port,
                                   private turn_task,
                                   public std::enable_shared_from_this<websocket_connection> {
public:
    // `handshake` is told when the token in `connect` is wrong; it is let go after `connect`.
    websocket_connection(websocket_environment& environment, std::unique_ptr<byte_stream> stream,
                         std::shared_ptr<const peer_identity> who, std::shared_ptr<exchange> handshake, bool native);
    ~websocket_connection();

    // `leftover`: what was read already.
    void start(std::string leftover);
    // Ends the WebSocket in order: the close frame, then the connection.
    void end(mbus::errc reason, std::string_view text);
    // Gives the connection up at once.
    void close();

    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
    // True when it carries a session or a link, whose own end is also that of the connection.
    [[nodiscard]] bool serves() noexcept { return connection_.session() != nullptr || connection_.link() != nullptr; }
    // The deadline has passed that was set last.
    void advance(mbus::mbws::time_point now);

    // connection_port
    void wake() override { environment_.turns.add(*this); }
    void read_again() override;
    void finish(mbus::errc reason, std::string_view text) override;

private:
    // What is left to do with input.
    enum class reading : std::uint8_t {
        frames,   // all of it
        closing,  // wait for the client's close frame
        nothing,  // throw it away until the client is gone
    };

    void end_of_turn() override;
    void wait_readable();
    void wait_writable();
    void readable();
    void take_frames();
    bool take_one(mbus::mbws::time_point now);
    void take_frame(mbus::mbws::time_point now, const mbus::mbws::frame_view& frame);
    void refuse_input(mbus::mbws::time_point now);
    void peer_closed(mbus::mbws::time_point now);
    void release_session(mbus::mbws::time_point now);
    void touch_session();
    void set_linger();
    void write();
    void all_written();

    websocket_environment& environment_;
    std::unique_ptr<byte_stream> stream_;
    std::uint64_t id_;
    mbus::mbws::websocket_input input_;
    mbus::mbws::broker_connection connection_;
    std::shared_ptr<exchange> handshake_;  // until `connect` came
    mbus::mbws::time_point linger_until_ = mbus::mbws::never;
    reading reading_ = reading::frames;
    bool waiting_to_read_ = false;
    bool waiting_to_write_ = false;
    bool paused_ = false;      // the session wants no input
    bool resume_ = false;      // it wants some again
    bool output_ended_ = false;
    bool peer_closed_ = false;
    bool closed_ = false;
};

}  // namespace mbusd
