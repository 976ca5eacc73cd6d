#include "bus/group_socket.hpp"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "bus/socket_tools.hpp"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29  // linux/in6.h, since Linux 4.20
#endif

namespace mbusd {
namespace {

using mbus::protocol::scope;

ip_address must_parse(std::string_view text) { return ip_address::parse(std::string{text}).value(); }

}  // namespace

ip_address group_address(const bus_options& options, ip_family family) {
    const bool host_local = options.scope == scope::host_local;
    if (options.broadcast) {
        if (family == ip_family::v6) return must_parse(host_local ? "ff01::1" : "ff02::1");
        return must_parse(host_local ? "127.255.255.255" : "255.255.255.255");
    }
    if (options.group) {
        const auto configured = ip_address::parse(*options.group);
        if (configured && configured->family == family) return *configured;
    }
    if (family == ip_family::v4) return must_parse(mbus::protocol::default_group_v4);
    return must_parse(host_local ? mbus::protocol::default_group_v6_host
                                 : mbus::protocol::default_group_v6_link);
}

group_socket::group_socket(const bus_options& options, ip_family family)
    : group_(group_address(options, family)), member_(group_.is_multicast()), fd_(open_udp(family)) {
    const int fd = fd_.get();
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
    if (options.broadcast) set_option(fd, SOL_SOCKET, SO_BROADCAST, 1, "SO_BROADCAST");
    // Memberships of other programs must not bring us datagrams of other interfaces.
    if (family == ip_family::v4) {
        set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL");
    } else {
        const int off = 0;  // unknown to kernels before 4.20, which then deliver a little more
        ::setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof off);
    }
    prepare_receiving(fd, family);

    const bool bind_to_group = family == ip_family::v4 && member_;
    const auto name = make_socket_address(bind_to_group ? group_ : ip_address{family, {}}, options.port);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&name.storage), name.length) != 0) {
        const char* hint =
            errno == EADDRINUSE ? "; another program holds the port for itself, find it with: ss -ulnp" : "";
        throw_errno(fmt::format("cannot listen on UDP port {}{}", options.port, hint));
    }
}

int group_socket::join(std::uint32_t interface_index) {
    if (!member_) return 0;
    const auto attempt = [&] {
        if (group_.family == ip_family::v4) {
            const ip_mreqn request{to_in_addr(group_), {}, static_cast<int>(interface_index)};
            return ::setsockopt(fd_.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
        }
        const ipv6_mreq request{to_in6_addr(group_), interface_index};
        return ::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
    };
    if (attempt() == 0) return 0;
    if (errno != EADDRINUSE) return errno;
    // A membership that outlived its interface (moved away and back under the same index).
    leave(interface_index);
    return attempt() == 0 ? 0 : errno;
}

void group_socket::leave(std::uint32_t interface_index) noexcept {
    if (!member_) return;
    // Fails when the interface took the membership along; nothing is left to do then.
    if (group_.family == ip_family::v4) {
        const ip_mreqn request{to_in_addr(group_), {}, static_cast<int>(interface_index)};
        ::setsockopt(fd_.get(), IPPROTO_IP, IP_DROP_MEMBERSHIP, &request, sizeof request);
    } else {
        const ipv6_mreq request{to_in6_addr(group_), interface_index};
        ::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_LEAVE_GROUP, &request, sizeof request);
    }
}

std::size_t group_socket::receive_buffer() const {
    int octets = 0;
    socklen_t length = sizeof octets;
    ::getsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &octets, &length);
    return static_cast<std::size_t>(octets);
}

}  // namespace mbusd
