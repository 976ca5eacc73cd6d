#include "bus/interface_rules.hpp"

#include <fnmatch.h>
#include <net/if.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

namespace mbusd {
namespace {

using mbus::protocol::scope;

constexpr std::size_t udp_header_octets = 8;
constexpr std::size_t ipv4_header_octets = 20;
constexpr std::size_t ipv6_header_octets = 40;

bool matches_any(const std::vector<std::string>& globs, const std::string& name) {
    return std::ranges::any_of(
        globs, [&](const std::string& glob) { return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0; });
}

// What the interface was told, else the last address of its network: `ip address add` sets none
// unless asked to, and the kernel broadcasts there all the same. Networks of one or two addresses
// have none.
std::optional<ip_address> broadcast_of(const interface_address& own) {
    if (!own.broadcast.is_unspecified()) return own.broadcast;
    constexpr unsigned longest_network = 30;
    if (own.prefix_length > longest_network) return std::nullopt;
    auto last = own.address;
    for (unsigned bit = own.prefix_length; bit < 32; ++bit) last.octets[bit / 8] |= static_cast<std::uint8_t>(0x80U >> bit % 8);
    return last;
}

// The first usable address of each family.
bus_link link_of(const network_interface& card, const bus_options& options, address_use use) {
    bus_link link{.index = card.index,
                  .name = card.name,
                  .mtu = card.mtu,
                  .carrier = card.has(IFF_RUNNING),
                  .source_v4 = {},
                  .broadcast_v4 = {},
                  .source_v6 = {}};
    const bool host_local = options.scope == scope::host_local;
    for (const auto& own : card.addresses) {
        const auto& address = own.address;
        if (own.duplicate || (own.tentative && use == address_use::sending)) continue;
        if (own.secondary || !uses_family(options, address.family)) continue;
        if (host_local != address.is_loopback()) continue;
        if (address.family == ip_family::v4 && !link.source_v4) {
            link.source_v4 = address;
            link.broadcast_v4 = broadcast_of(own);
        } else if (address.family == ip_family::v6 && !link.source_v6 &&
                   (host_local || address.is_link_local())) {
            link.source_v6 = address;
        }
    }
    // 127.0.0.1 carries no broadcast address of its own, yet its network has one (trap T6).
    if (host_local && link.source_v4) link.broadcast_v4 = ip_address{ip_family::v4, {127, 255, 255, 255}};
    if (options.broadcast && !link.broadcast_v4) link.source_v4.reset();
    return link;
}

// Why an interface that is up is not used; empty: it is.
std::string_view refusal(const network_interface& card, const bus_options& options) {
    const bool loopback = card.has(IFF_LOOPBACK);
    if (options.scope == scope::host_local)
        return loopback ? "" : "SCOPE=HOSTLOCAL uses the loopback interface only";
    if (loopback) return "SCOPE=LINKLOCAL does not use the loopback interface";
    if (matches_any(options.deny, card.name)) return "denied by the configuration";
    const bool allowed = matches_any(options.allow, card.name);
    if (!options.allow.empty() && !allowed) return "not among those that the configuration allows";
    if (!card.has(IFF_MULTICAST) && !(options.broadcast && card.has(IFF_BROADCAST)))
        return "cannot multicast";
    if (card.has(IFF_POINTOPOINT) && !allowed)
        return "point-to-point; allow it in the configuration to use it";
    if (!card.slave_kind.empty() && card.slave_kind != "vrf") return "part of a bridge or bond";
    return "";
}

}  // namespace

link_choice choose_links(const interface_table& table, const bus_options& options, address_use use) {
    link_choice choice;
    for (const auto& [index, card] : table.interfaces()) {
        if (!card.has(IFF_UP)) continue;
        if (const auto reason = refusal(card, options); !reason.empty()) {
            choice.skipped.push_back({card.name, std::string{reason}});
            continue;
        }
        auto link = link_of(card, options, use);
        if (link.source_v4 || link.source_v6)
            choice.links.push_back(std::move(link));
        else
            choice.skipped.push_back({card.name, "no usable address yet"});
    }
    return choice;
}

const bus_link* primary_link(const std::vector<bus_link>& links, const bus_options& options) {
    const bool v4_wanted = options.families != family_rule::ipv6;
    const bus_link* best = nullptr;
    const auto rank = [&](const bus_link& link) {
        return (v4_wanted && link.source_v4 ? 2 : 0) + (link.carrier ? 1 : 0);
    };
    for (const auto& link : links) {
        if (best == nullptr || rank(link) > rank(*best)) best = &link;
    }
    return best;
}

std::string choose_host_id(const std::vector<bus_link>& links, const bus_options& options,
                           const std::function<std::uint64_t()>& random) {
    if (options.scope == scope::host_local) return "127.0.0.1";
    const bus_link* primary = primary_link(links, options);
    if (primary != nullptr && primary->source_v4 && options.families != family_rule::ipv6)
        return to_string(*primary->source_v4);
    if (primary != nullptr && primary->source_v6) return interface_id_text(*primary->source_v6);
    ip_address made;
    made.family = ip_family::v6;
    std::uint64_t bits = random();
    for (std::size_t i = 8; i < 16; ++i, bits >>= 8) made.octets[i] = static_cast<std::uint8_t>(bits);
    return interface_id_text(made);
}

std::string interface_id_text(const ip_address& v6) {
    const auto group = [&](std::size_t at) {
        return static_cast<unsigned>(v6.octets[at] << 8 | v6.octets[at + 1]);
    };
    return fmt::format("{:x}:{:x}:{:x}:{:x}", group(8), group(10), group(12), group(14));
}

std::size_t payload_octets(const bus_link& link, ip_family family) noexcept {
    const std::size_t headers =
        udp_header_octets + (family == ip_family::v4 ? ipv4_header_octets : ipv6_header_octets);
    return link.mtu <= headers ? 0 : std::min(link.mtu - headers, udp_octets_max);
}

}  // namespace mbusd
