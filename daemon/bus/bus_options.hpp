// How the daemon takes part in the bus: groups, families, interfaces. Plain values, made by the
// configuration from the session file (RFC 3259, section 12) and mbusd.toml.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/result.hpp>

#include "protocol/endpoint.hpp"
#include "protocol/session_config.hpp"

namespace mbusd {

// Which IP families carry group traffic.
enum class family_rule : std::uint8_t {
    automatic,  // hello and bye on both; the rest on the main family, and on the other one where needed
    ipv4,
    ipv6,
    both,  // everything on both
};

[[nodiscard]] std::string_view to_string(family_rule rule) noexcept;  // "auto"
[[nodiscard]] mbus::result<family_rule> parse_family_rule(std::string_view text);

// The largest payload of a UDP datagram over IPv4 (trap T1 in docs/rfc3259.md).
inline constexpr std::size_t udp_octets_max = 65507;

struct bus_options {
    mbus::protocol::scope scope = mbus::protocol::scope::host_local;
    bool broadcast = false;            // ADDRESS=BROADCAST (RFC 3259, section 6.1.3)
    std::optional<std::string> group;  // ADDRESS=..., IPv4 or IPv6
    std::uint16_t port = mbus::protocol::default_port;
    family_rule families = family_rule::automatic;
    // Interface names as globs (`*`, `?`, `[a-z]`). `allow` empty: every suitable one. `deny` wins.
    // Not used with scope HOSTLOCAL, which is the loopback interface alone.
    std::vector<std::string> allow;
    std::vector<std::string> deny;
    // Coalescing never goes beyond this, whatever the MTU (1400 for peers with small buffers).
    std::size_t datagram_budget_max = udp_octets_max;
};

// The part of the options that the session file decides.
[[nodiscard]] bus_options options_from(const mbus::protocol::session_config& session);

// True when group traffic of this family may be sent and heard at all.
[[nodiscard]] bool uses_family(const bus_options& options, mbus::protocol::ip_family family) noexcept;

// The family that carries group traffic under `auto`: that of ADDRESS, else IPv4.
[[nodiscard]] mbus::protocol::ip_family main_family(const bus_options& options);

// What to tell the user about odd combinations, e.g. ADDRESS=ff05::1 with SCOPE=LINKLOCAL (trap T9).
[[nodiscard]] std::vector<std::string> option_warnings(const bus_options& options);

}  // namespace mbusd
