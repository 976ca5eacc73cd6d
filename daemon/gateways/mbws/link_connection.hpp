// One connection to another daemon: the opening handshake of WebSocket, then the frames of a link
// (docs/mbws.md, section 9), one read and one write per turn.
//
//     auto connection = std::make_shared<link_connection>(environment, std::move(stream), session, wish, over);
//     connection->start();
//     connection->close();      // gives it up; `over` is not called any more
//
// Made by link_dialer. One thread; session and environment outlive it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/byte_stream.hpp"
#include "mbws/link_session.hpp"
#include "mbws/websocket_input.hpp"
#include "mbws/websocket_port.hpp"
#include "router/turn.hpp"
#include "websocket/handshake.hpp"

namespace mbusd {

// For TLS and the opening handshake together; also for the other side's close frame.
inline constexpr std::chrono::seconds link_handshake_patience{10};
inline constexpr std::chrono::seconds link_linger_patience{5};

class link_connection final : public mbus::mbws::websocket_port,
                              private mbus::mbws::link_carrier,
                              private turn_task,
                              public std::enable_shared_from_this<link_connection> {
public:
    struct environment {
        boost::asio::io_context& context;
        turn_queue& turns;
        mbus::websocket::mask_source& masks;
        std::function<mbus::mbws::time_point()> now;
        std::size_t frame_octets_max = mbus::mbws::frame_octets_default;  // the `size` that `connect` says
    };
    // Why it ended, for people; and the HTTP status when the other side refused the handshake, else 0.
    using over_handler = std::function<void(std::string reason, int http_status)>;

    link_connection(const environment& around, std::unique_ptr<byte_stream> stream, mbus::mbws::link_session& session,
                    mbus::websocket::handshake_wish wish, over_handler over);
    ~link_connection();

    void start();
    void close();
    // Whether it came as far as the frames of a link.
    [[nodiscard]] bool opened() const noexcept { return input_.has_value(); }

    // connection_port
    void wake() override { environment_.turns.add(*this); }
    void read_again() override;
    void finish(mbus::errc reason, std::string_view text) override;

private:
    enum class stage : std::uint8_t { handshake, link, closing, over };

    void link_released() noexcept override { carries_ = false; }
    void end_of_turn() override;
    void wait_readable();
    void wait_writable();
    void readable();
    void write();
    void write_request();
    void write_last_words();
    void receive_answer(std::string_view octets);
    void take_frames(std::span<char> octets);
    bool take_one();
    void set_timer(std::chrono::milliseconds patience);
    void end(std::string reason, int http_status = 0);

    environment environment_;
    std::unique_ptr<byte_stream> stream_;
    mbus::mbws::link_session& session_;
    mbus::websocket::client_handshake opening_;
    over_handler over_;
    std::optional<mbus::mbws::websocket_input> input_;  // from the handshake's end on
    std::vector<char> buffer_;
    std::size_t request_at_ = 0;  // what of the handshake was written
    boost::asio::steady_timer timer_;
    stage stage_ = stage::handshake;
    bool carries_ = false;  // the session uses this connection
    bool waiting_to_read_ = false;
    bool waiting_to_write_ = false;
    bool paused_ = false;
    bool resume_ = false;
    bool output_ended_ = false;
};

}  // namespace mbusd
