// IP addresses of clients, and prefixes such as "10.0.0.0/8" that they are compared with.
//
// IPv4 addresses are kept as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2), so that both kinds compare.
// Thread-safety: plain values.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr_storage;

namespace mbusd {

class client_address {
public:
    using octets = std::array<std::uint8_t, 16>;

    client_address() = default;  // "::"
    // "10.0.0.1", "fe80::1", "[::1]"; no port, no zone.
    static std::optional<client_address> parse(std::string_view text);
    // The address of a socket; nothing for Unix sockets.
    static std::optional<client_address> of(const sockaddr_storage& from) noexcept;

    [[nodiscard]] bool loopback() const noexcept;
    [[nodiscard]] bool ipv4() const noexcept;
    [[nodiscard]] std::string text() const;
    // Whom limits count: an IPv4 address, or the /64 that one IPv6 subscriber has.
    [[nodiscard]] client_address subscriber() const noexcept;
    [[nodiscard]] const octets& raw() const noexcept { return octets_; }

    auto operator<=>(const client_address&) const = default;

private:
    octets octets_{};
};

class address_prefix {
public:
    // "10.0.0.0/8", "fd00::/8", or one address.
    static std::optional<address_prefix> parse(std::string_view text);
    [[nodiscard]] bool contains(const client_address& address) const noexcept;

private:
    client_address base_;
    unsigned bits_ = 128;
};

// True when an interface of this machine has the address now.
[[nodiscard]] bool is_local_address(const client_address& address);

}  // namespace mbusd
