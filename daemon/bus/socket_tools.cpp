#include "bus/socket_tools.hpp"

#include <netinet/udp.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "bus/group_socket.hpp"

namespace mbusd {

void throw_errno(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

void set_option(int fd, int level, int name, int value, const char* text) {
    if (::setsockopt(fd, level, name, &value, sizeof value) != 0)
        throw_errno(std::string{"cannot set "} + text);
}

unique_fd open_udp(ip_family family) {
    const bool v4 = family == ip_family::v4;
    unique_fd fd{::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP)};
    if (!fd) throw_errno(v4 ? "no IPv4 on this host" : "no IPv6 on this host");
    if (!v4) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY");
    return fd;
}

void prepare_receiving(int fd, ip_family family) {
    if (family == ip_family::v4)
        set_option(fd, IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO");
    else
        set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO");
    set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1, "SO_RXQ_OVFL");
    const int on = 1;  // unknown to kernels before 5.0, which cut runs themselves
    ::setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on);
    const int octets = receive_buffer_octets;
    // FORCE goes beyond net.core.rmem_max, with CAP_NET_ADMIN; else take what there is.
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) != 0) {
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    }
}

}  // namespace mbusd
