// The headers of one sendmmsg. What they say about the way of a datagram is made once per way.
//
//     send_batch batch;
//     while (batch.add(route, datagrams)) ...          // each call one message of one or more datagrams
//     const int messages = batch.send(fd);             // as sendmmsg(2); errno
//     batch.clear();
//
// Borrows the octets of datagrams until clear().
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bus/ip_address.hpp"
#include "protocol/node.hpp"

namespace mbusd {

// Where to, over which link and with which source address.
class send_route {
public:
    send_route(const ip_address& to, std::uint16_t port, std::uint32_t interface_index) noexcept
        : name_(make_socket_address(to, port, interface_index)) {}

    // For group traffic.
    void bind_to(std::uint32_t interface_index, const ip_address& source) noexcept;

private:
    friend class send_batch;
    static constexpr std::size_t control_octets = CMSG_SPACE(sizeof(in6_pktinfo));

    socket_address name_;
    alignas(cmsghdr) std::array<char, control_octets> control_{};
    std::size_t control_length_ = 0;
};

class send_batch {
public:
    static constexpr std::size_t messages_max = 64;
    static constexpr std::size_t datagrams_max = 128;

    // One message. More than one datagram: they are a run (bus/datagram_run.hpp), cut by the kernel.
    // False: full; nothing was added.
    bool add(const send_route& route, std::span<const mbus::protocol::outgoing> datagrams) noexcept;
    // Does not wait.
    int send(int fd) noexcept;
    void clear() noexcept { messages_ = parts_used_ = 0; }

private:
    static constexpr std::size_t control_octets =
        send_route::control_octets + CMSG_SPACE(sizeof(std::uint16_t));

    std::size_t messages_ = 0;
    std::size_t parts_used_ = 0;
    std::array<mmsghdr, messages_max> headers_{};
    std::array<iovec, datagrams_max> parts_{};
    std::array<sockaddr_in6, messages_max> names_{};  // has room for one of IPv4
    alignas(cmsghdr) std::array<std::array<char, control_octets>, messages_max> controls_{};
};

}  // namespace mbusd
