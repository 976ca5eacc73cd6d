// One connection of a client (or of another broker: a link) to the broker: waits for `connect`, finds
// its session through the host, and passes frames on to it.
//
//     broker_connection connection{port, host, {.id = n, .local = true}, now};
//     while (connection.wants_input() && reader.next(frame) == frame_reader::status::frame)
//         if (connection.handle(now, frame) == verdict::closing) break;
//     if (reader.failed()) connection.fault(now, reader.failure());
//     ...
//     connection.fill(now);                     // end of the turn
//     connection.lost(now);                     // the socket is gone (call it before the destructor)
//
// After verdict::closing, and after port.finish(), nothing more is to be read from the socket.
// Not thread-safe. Port and host outlive the connection.
#pragma once

#include <cstdint>
#include <string_view>

#include "mbws/broker_session.hpp"
#include "mbws/link_session.hpp"

namespace mbus::mbws {

struct connection_info {
    std::uint64_t id = 0;  // connect_request::connection
    bool local = true;
    std::uint16_t addresses = 0;  // how many the reader of the connection remembers (frame_reader::remember)
};

class broker_connection final : private link_carrier {
public:
    broker_connection(connection_port& port, session_host& host, connection_info info, time_point now);
    ~broker_connection();
    broker_connection(const broker_connection&) = delete;
    broker_connection& operator=(const broker_connection&) = delete;

    // One frame from the client.
    verdict handle(time_point now, const frame_view& frame);
    // What came is no frame (frame_reader::failure()): `error`, then the connection closes.
    void fault(time_point now, const error& failure);
    // The socket is gone.
    void lost(time_point now);

    void fill(time_point now);
    [[nodiscard]] bool wants_input() const noexcept;
    // True after `error` or `close`: what still comes is thrown away unread.
    [[nodiscard]] bool closing() const noexcept { return closing_; }

    // Connect time-out and WebSocket pings; the session's own deadlines are the session's.
    void advance(time_point now);
    [[nodiscard]] time_point next_deadline() const noexcept;

    [[nodiscard]] broker_session* session() noexcept { return session_; }
    // The other broker's, when the connection carries a link.
    [[nodiscard]] link_session* link() noexcept { return link_; }

private:
    friend class broker_session;
    void refuse(errc code, std::string_view text);
    verdict connect(time_point now, const frame_view& frame);
    verdict connect_link(time_point now, const connect_request& request);
    void link_released() noexcept override;

    connection_port& port_;
    session_host& host_;
    connection_info info_;
    broker_session* session_ = nullptr;
    link_session* link_ = nullptr;
    time_point connect_until_;
    time_point heard_;
    time_point pinged_;
    bool closing_ = false;
};

}  // namespace mbus::mbws
