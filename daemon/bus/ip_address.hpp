// An IPv4 or IPv6 address as a value, and its way into and out of socket addresses.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "protocol/endpoint.hpp"

namespace mbusd {

using mbus::protocol::ip_family;

struct ip_address {
    ip_family family = ip_family::v4;
    std::array<std::uint8_t, 16> octets{};  // network order; IPv4 uses the first four

    static std::optional<ip_address> parse(const std::string& text);

    [[nodiscard]] bool is_unspecified() const noexcept { return octets == std::array<std::uint8_t, 16>{}; }
    [[nodiscard]] bool is_loopback() const noexcept;
    [[nodiscard]] bool is_multicast() const noexcept;
    [[nodiscard]] bool is_link_local() const noexcept;  // 169.254/16, fe80::/10

    auto operator<=>(const ip_address&) const = default;
};

// "192.168.1.1", "fe80::1"; without zone.
[[nodiscard]] std::string to_string(const ip_address& address);

[[nodiscard]] in_addr to_in_addr(const ip_address& v4) noexcept;
[[nodiscard]] in6_addr to_in6_addr(const ip_address& v6) noexcept;
[[nodiscard]] ip_address from_in_addr(const in_addr& address) noexcept;
[[nodiscard]] ip_address from_in6_addr(const in6_addr& address) noexcept;

// A socket address of either family.
struct socket_address {
    sockaddr_storage storage{};
    socklen_t length = 0;
};

// `scope_index` matters to link-local and interface-local IPv6 addresses.
[[nodiscard]] socket_address make_socket_address(const ip_address& address, std::uint16_t port,
                                                 std::uint32_t scope_index = 0) noexcept;

// The engine's form; nothing for a family other than IPv4 and IPv6.
[[nodiscard]] std::optional<mbus::protocol::endpoint> to_endpoint(const sockaddr_storage& from) noexcept;
[[nodiscard]] ip_address address_of(const mbus::protocol::endpoint& where) noexcept;

}  // namespace mbusd
