#include "http/listen_socket.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

#include "http/client_address.hpp"

namespace mbusd {
namespace {

// Connections that wait to be accepted; the kernel caps it at net.core.somaxconn.
constexpr int backlog = 4096;

struct endpoint_text {
    client_address address;
    std::uint16_t port = 0;
};

endpoint_text parse_endpoint(std::string_view where, std::string_view setting) {
    const auto colon = where.rfind(':');
    endpoint_text out;
    if (colon != std::string_view::npos) {
        const auto port = where.substr(colon + 1);
        const auto [stopped, fault] = std::from_chars(port.data(), port.data() + port.size(), out.port);
        const auto address = client_address::parse(where.substr(0, colon));
        if (fault == std::errc{} && stopped == port.data() + port.size() && address) {
            out.address = *address;
            return out;
        }
    }
    throw std::runtime_error(fmt::format("{}: '{}' is no address with port such as 127.0.0.1:8407 or [::1]:8407", setting,
                                         where));
}

sockaddr_storage socket_address(const endpoint_text& where, socklen_t& octets) {
    sockaddr_storage out{};
    const auto& raw = where.address.raw();
    if (where.address.ipv4()) {
        sockaddr_in four{};
        four.sin_family = AF_INET;
        four.sin_port = htons(where.port);
        std::memcpy(&four.sin_addr, raw.data() + 12, 4);
        std::memcpy(&out, &four, sizeof four);
        octets = sizeof four;
    } else {
        sockaddr_in6 six{};
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(where.port);
        std::memcpy(&six.sin6_addr, raw.data(), raw.size());
        std::memcpy(&out, &six, sizeof six);
        octets = sizeof six;
    }
    return out;
}

[[noreturn]] void fail(std::string_view setting, std::string_view where, int fault) {
    std::string_view remedy;
    if (fault == EADDRINUSE) remedy = "; another program has this port: stop it, or choose another port";
    if (fault == EADDRNOTAVAIL) remedy = "; no interface of this machine has this address";
    if (fault == EACCES) remedy = "; ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher one";
    throw std::runtime_error(fmt::format("{}: can't listen on {}: {}{}", setting, where,
                                         std::generic_category().message(fault), remedy));
}

std::uint16_t bound_port(int socket) {
    sockaddr_storage found{};
    socklen_t octets = sizeof found;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&found), &octets) != 0) return 0;
    std::uint16_t port = 0;  // at the same place for both families
    std::memcpy(&port, reinterpret_cast<const char*>(&found) + offsetof(sockaddr_in, sin_port), sizeof port);
    return ntohs(port);
}

}  // namespace

listening_socket listen_tcp(std::string_view where, bool encrypted, std::string_view setting) {
    const auto wanted = parse_endpoint(where, setting);
    socklen_t octets = 0;
    const auto address = socket_address(wanted, octets);
    listening_socket out;
    out.encrypted = encrypted;
    out.fd.reset(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!out.fd) fail(setting, where, errno);
    const int on = 1;
    ::setsockopt(out.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.ss_family == AF_INET6) ::setsockopt(out.fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (::bind(out.fd.get(), reinterpret_cast<const sockaddr*>(&address), octets) != 0 ||
        ::listen(out.fd.get(), backlog) != 0) {
        fail(setting, where, errno);
    }
    const auto text = wanted.address.text();
    out.name = fmt::format("{}:{}", wanted.address.ipv4() ? text : '[' + text + ']', bound_port(out.fd.get()));
    return out;
}

}  // namespace mbusd
