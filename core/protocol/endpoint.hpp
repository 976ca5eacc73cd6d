// A UDP endpoint as the engine keeps it: no socket header needed (RFC 3259, section 6.2).
#pragma once

#include <array>
#include <compare>
#include <cstdint>

namespace mbus::protocol {

enum class ip_family : std::uint8_t { v4, v6 };

struct endpoint {
    ip_family family = ip_family::v4;
    std::array<std::uint8_t, 16> octets{};  // network order; IPv4 uses the first four
    std::uint16_t port = 0;                 // host order
    std::uint32_t interface_index = 0;      // IPv6 scope and the link it was heard on; 0 = unknown

    auto operator<=>(const endpoint&) const = default;
};

}  // namespace mbus::protocol
