#include "bus/endpoint_socket.hpp"

#include <system_error>

#include "bus/socket_tools.hpp"

namespace mbusd {
namespace {

using mbus::protocol::default_port;
using mbus::protocol::scope;

// The kernel chooses from about 28000 ports; twice a forbidden one in a row is unheard of.
constexpr int port_attempts_max = 8;

std::uint16_t bound_port(int fd) {
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0)
        throw_errno("cannot read the own UDP port");
    const auto own = to_endpoint(name);
    return own ? own->port : std::uint16_t{0};
}

void prepare_v4(int fd, const bus_options& options) {
    // RFC 3259, section 6.1.1: TTL 0 host-local, 1 link-local. Linux wants at least 1 for unicast
    // and broadcast (trap T6); those stay on the loopback interface by their addresses.
    const bool host_local = options.scope == scope::host_local;
    set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, host_local ? 0 : 1, "IP_MULTICAST_TTL");
    set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1, "IP_MULTICAST_LOOP");
    set_option(fd, IPPROTO_IP, IP_TTL, 1, "IP_TTL");
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, "IP_MTU_DISCOVER");
    set_option(fd, IPPROTO_IP, IP_FREEBIND, 1, "IP_FREEBIND");
    if (options.broadcast) set_option(fd, SOL_SOCKET, SO_BROADCAST, 1, "SO_BROADCAST");
}

void prepare_v6(int fd, const bus_options& options) {
    const bool host_local = options.scope == scope::host_local;
    set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, host_local ? 0 : 1, "IPV6_MULTICAST_HOPS");
    set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1, "IPV6_MULTICAST_LOOP");
    set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1, "IPV6_UNICAST_HOPS");
    set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1, "IPV6_FREEBIND");
}

ip_address bind_address(const bus_options& options, ip_family family) {
    ip_address address{family, {}};
    if (options.scope != scope::host_local) return address;
    return family == ip_family::v4 ? ip_address{family, {127, 0, 0, 1}} : from_in6_addr(in6addr_loopback);
}

}  // namespace

endpoint_socket::endpoint_socket(const bus_options& options, ip_family family) {
    // FREEBIND: the loopback interface may still be down.
    for (int attempt = 0; attempt < port_attempts_max; ++attempt) {
        fd_ = open_udp(family);
        if (family == ip_family::v4)
            prepare_v4(fd_.get(), options);
        else
            prepare_v6(fd_.get(), options);
        prepare_receiving(fd_.get(), family);
        const auto name = make_socket_address(bind_address(options, family), 0);
        if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&name.storage), name.length) != 0) {
            throw_errno("cannot open the own UDP endpoint");
        }
        port_ = bound_port(fd_.get());
        if (port_ != options.port && port_ != default_port) return;
    }
    throw std::system_error(
        std::make_error_code(std::errc::address_in_use),
        "the kernel offers no port but the session port; widen net.ipv4.ip_local_port_range");
}

}  // namespace mbusd
