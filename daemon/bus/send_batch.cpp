#include "bus/send_batch.hpp"

#include <netinet/udp.h>

#include <cstring>

namespace mbusd {
namespace {

using mbus::protocol::outgoing;

// Writes one control message; how much room it takes.
template <class Value>
std::size_t write_control(char* at, int level, int type, const Value& value) noexcept {
    cmsghdr header{};
    header.cmsg_level = level;
    header.cmsg_type = type;
    header.cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(at, &header, sizeof header);
    std::memcpy(at + CMSG_LEN(0), &value, sizeof value);
    return CMSG_SPACE(sizeof value);
}

}  // namespace

void send_route::bind_to(std::uint32_t interface_index, const ip_address& source) noexcept {
    if (source.family == ip_family::v4) {
        in_pktinfo info{};
        info.ipi_ifindex = static_cast<int>(interface_index);
        info.ipi_spec_dst = to_in_addr(source);
        control_length_ = write_control(control_.data(), IPPROTO_IP, IP_PKTINFO, info);
    } else {
        in6_pktinfo info{};
        info.ipi6_ifindex = interface_index;
        info.ipi6_addr = to_in6_addr(source);
        control_length_ = write_control(control_.data(), IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

bool send_batch::add(const send_route& route, std::span<const outgoing> datagrams) noexcept {
    if (messages_ == messages_max || parts_used_ + datagrams.size() > datagrams_max) return false;
    msghdr& header = headers_[messages_].msg_hdr;
    std::memcpy(&names_[messages_], &route.name_.storage, route.name_.length);
    header.msg_name = &names_[messages_];
    header.msg_namelen = route.name_.length;
    header.msg_iov = &parts_[parts_used_];
    header.msg_iovlen = datagrams.size();
    // sendmmsg reads only; iovec has no const form.
    for (const auto& each : datagrams)
        parts_[parts_used_++] = {const_cast<char*>(each.datagram.data()), each.datagram.size()};
    char* const control = controls_[messages_].data();
    std::memcpy(control, route.control_.data(), route.control_length_);
    header.msg_control = control;
    header.msg_controllen = route.control_length_;
    // Not with a single one: the kernel would refuse to send it in fragments.
    if (datagrams.size() > 1) {
        header.msg_controllen += write_control(control + route.control_length_, SOL_UDP, UDP_SEGMENT,
                                               static_cast<std::uint16_t>(datagrams.front().datagram.size()));
    }
    ++messages_;
    return true;
}

int send_batch::send(int fd) noexcept {
    return ::sendmmsg(fd, headers_.data(), static_cast<unsigned>(messages_), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace mbusd
