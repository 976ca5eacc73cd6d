// The text of an IP address, as ADDRESS= holds it (RFC 3259, section 12; RFC 2373, appendix B).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/endpoint.hpp"

namespace mbus::protocol {

struct ip_address {
    ip_family family = ip_family::v4;
    std::array<std::uint8_t, 16> octets{};  // network order; IPv4 uses the first four

    [[nodiscard]] bool is_multicast() const noexcept {
        return family == ip_family::v4 ? octets[0] >= 224 && octets[0] <= 239 : octets[0] == 0xFF;
    }
    // The scope of an IPv6 group: 1 node, 2 link, and wider ones.
    [[nodiscard]] unsigned multicast_scope() const noexcept { return octets[1] & 0x0FU; }
};

// "239.255.255.247", "FF02::300"; nothing for anything else, an interface ("%eth0") included.
[[nodiscard]] std::optional<ip_address> parse_ip_address(std::string_view text) noexcept;

}  // namespace mbus::protocol
