// Which interfaces the bus uses, with which source address, and what follows for the host-ID.
// Pure functions over the interface table.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/bus_options.hpp"
#include "bus/bus_status.hpp"
#include "bus/interface_table.hpp"

namespace mbusd {

// One interface to send to and to listen on.
struct bus_link {
    std::uint32_t index = 0;
    std::string name;
    std::size_t mtu = 0;
    bool carrier = false;
    std::optional<ip_address> source_v4;  // nothing: no IPv4 here (or not wanted)
    std::optional<ip_address> broadcast_v4;
    std::optional<ip_address> source_v6;  // the link-local address (::1 on the loopback interface)

    [[nodiscard]] bool has(ip_family family) const noexcept {
        return family == ip_family::v4 ? source_v4.has_value() : source_v6.has_value();
    }
    bool operator==(const bus_link&) const = default;
};

struct link_choice {
    std::vector<bus_link> links;             // by index
    std::vector<skipped_interface> skipped;  // up, but not used
};

// HOSTLOCAL: the loopback interface alone. LINKLOCAL: every interface that is up, can multicast (or
// broadcast, with ADDRESS=BROADCAST), has a usable address, is neither loopback nor part of a bridge
// or bond, and passes allow and deny. Point-to-point interfaces only if `allow` matches them.
// IPv6 addresses count from the end of their duplicate detection (`sending`), or before it (`naming`:
// the interface-ID is known already).
enum class address_use : std::uint8_t { sending, naming };
[[nodiscard]] link_choice choose_links(const interface_table& table, const bus_options& options,
                                       address_use use = address_use::sending);

// The interface whose address names this host: the first with carrier, IPv4 before IPv6.
[[nodiscard]] const bus_link* primary_link(const std::vector<bus_link>& links, const bus_options& options);

// RFC 3259, section 4.1: 127.0.0.1 for HOSTLOCAL; else the IPv4 address of the primary interface;
// else the interface-ID of its IPv6 link-local address; else four random groups from `random`.
[[nodiscard]] std::string choose_host_id(const std::vector<bus_link>& links, const bus_options& options,
                                         const std::function<std::uint64_t()>& random);

// The interface-ID half of an IPv6 address: "2a0:c9ff:fe12:3456" (trap A4: four lower-case groups
// without leading zeros).
[[nodiscard]] std::string interface_id_text(const ip_address& v6);

// Octets of UDP payload that fit into one packet of `family` on this link.
[[nodiscard]] std::size_t payload_octets(const bus_link& link, ip_family family) noexcept;

}  // namespace mbusd
