// Many subscribers in one process: as many connections in one epoll, and one participant for the driver, which
// counts a message when every connection has it on average.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "harness/subject.hpp"

namespace bench {

inline constexpr std::size_t crowd_connections = 100;

class crowd_member {
public:
    virtual ~crowd_member() = default;
    crowd_member(const crowd_member&) = delete;
    crowd_member& operator=(const crowd_member&) = delete;

    // A connection that opens in several steps takes them together with the others', since some servers look at
    // a connection only now and then.
    virtual void finish_handshake() {}
    virtual void await_welcome() {}
    [[nodiscard]] virtual int socket() const = 0;
    // Takes what is there; how many messages that completed. Throws at the end of the connection.
    virtual std::uint64_t read() = 0;

protected:
    crowd_member() = default;
};

using member_maker = std::function<std::unique_ptr<crowd_member>()>;
std::unique_ptr<participant> make_crowd(const seat& where, const member_maker& make);

// A connection that carries messages of one size, without or within WebSocket frames: counts octets.
struct stream_member {
    std::uint16_t port = 0;  // of 127.0.0.1
    bool websocket = false;
    std::string target{};  // of the WebSocket
    std::string subprotocol{};
    std::string greeting{};          // what subscribes
    std::string welcome{};           // what the answer ends with; counting begins behind it
    std::size_t message_octets = 0;  // of one message, without heads of frames
};
std::unique_ptr<crowd_member> make_stream_member(const stream_member& how);

// The floor: a relay that writes the octets of a Unix stream to TCP connections, as many as a crowd has.
std::unique_ptr<subject> make_tcp_relay(const subject_plan& plan);
// mbusd with a gateway: the native binding, read by raw_subscriber.
std::unique_ptr<subject> make_mbusd_websocket(const subject_plan& plan);

}  // namespace bench
