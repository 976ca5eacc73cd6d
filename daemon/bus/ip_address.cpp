#include "bus/ip_address.hpp"

#include <arpa/inet.h>

#include <cstring>

namespace mbusd {

std::optional<ip_address> ip_address::parse(const std::string& text) {
    ip_address address;
    if (::inet_pton(AF_INET, text.c_str(), address.octets.data()) == 1) return address;
    address.family = ip_family::v6;
    if (::inet_pton(AF_INET6, text.c_str(), address.octets.data()) == 1) return address;
    return std::nullopt;
}

bool ip_address::is_loopback() const noexcept {
    if (family == ip_family::v4) return octets[0] == 127;
    const in6_addr v6 = to_in6_addr(*this);
    return IN6_IS_ADDR_LOOPBACK(&v6);
}

bool ip_address::is_multicast() const noexcept {
    return family == ip_family::v4 ? (octets[0] & 0xf0) == 0xe0 : octets[0] == 0xff;
}

bool ip_address::is_link_local() const noexcept {
    return family == ip_family::v4 ? octets[0] == 169 && octets[1] == 254
                                   : octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
}

std::string to_string(const ip_address& address) {
    char text[INET6_ADDRSTRLEN] = "";
    ::inet_ntop(address.family == ip_family::v4 ? AF_INET : AF_INET6, address.octets.data(), text,
                sizeof text);
    return text;
}

in_addr to_in_addr(const ip_address& v4) noexcept {
    in_addr address{};
    std::memcpy(&address, v4.octets.data(), sizeof address);
    return address;
}

in6_addr to_in6_addr(const ip_address& v6) noexcept {
    in6_addr address{};
    std::memcpy(&address, v6.octets.data(), sizeof address);
    return address;
}

ip_address from_in_addr(const in_addr& address) noexcept {
    ip_address made;
    std::memcpy(made.octets.data(), &address, sizeof address);
    return made;
}

ip_address from_in6_addr(const in6_addr& address) noexcept {
    ip_address made;
    made.family = ip_family::v6;
    std::memcpy(made.octets.data(), &address, sizeof address);
    return made;
}

socket_address make_socket_address(const ip_address& address, std::uint16_t port,
                                   std::uint32_t scope_index) noexcept {
    socket_address made;
    if (address.family == ip_family::v4) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(port);
        name.sin_addr = to_in_addr(address);
        std::memcpy(&made.storage, &name, sizeof name);
        made.length = sizeof name;
    } else {
        sockaddr_in6 name{};
        name.sin6_family = AF_INET6;
        name.sin6_port = htons(port);
        name.sin6_addr = to_in6_addr(address);
        name.sin6_scope_id = scope_index;
        std::memcpy(&made.storage, &name, sizeof name);
        made.length = sizeof name;
    }
    return made;
}

std::optional<mbus::protocol::endpoint> to_endpoint(const sockaddr_storage& from) noexcept {
    mbus::protocol::endpoint made;
    if (from.ss_family == AF_INET) {
        sockaddr_in name{};
        std::memcpy(&name, &from, sizeof name);
        std::memcpy(made.octets.data(), &name.sin_addr, sizeof name.sin_addr);
        made.port = ntohs(name.sin_port);
        return made;
    }
    if (from.ss_family != AF_INET6) return std::nullopt;
    sockaddr_in6 name{};
    std::memcpy(&name, &from, sizeof name);
    made.family = ip_family::v6;
    std::memcpy(made.octets.data(), &name.sin6_addr, sizeof name.sin6_addr);
    made.port = ntohs(name.sin6_port);
    made.interface_index = name.sin6_scope_id;
    return made;
}

ip_address address_of(const mbus::protocol::endpoint& where) noexcept { return {where.family, where.octets}; }

}  // namespace mbusd
