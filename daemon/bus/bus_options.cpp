#include "bus/bus_options.hpp"

#include <array>

#include <fmt/format.h>

#include "bus/ip_address.hpp"

namespace mbusd {
namespace {

constexpr std::array<std::string_view, 4> rule_names{"auto", "ipv4", "ipv6", "both"};

// The scope field of an IPv6 multicast address: 1 interface-local, 2 link-local (RFC 4291).
unsigned scope_field(const ip_address& group) { return group.octets[1] & 0x0fU; }

}  // namespace

std::string_view to_string(family_rule rule) noexcept { return rule_names[static_cast<std::size_t>(rule)]; }

mbus::result<family_rule> parse_family_rule(std::string_view text) {
    for (std::size_t i = 0; i < rule_names.size(); ++i) {
        if (rule_names[i] == text) return static_cast<family_rule>(i);
    }
    return {mbus::errc::bad_config,
            fmt::format("unknown families '{}'; use \"auto\", \"ipv4\", \"ipv6\" or \"both\"", text)};
}

bus_options options_from(const mbus::protocol::session_config& session) {
    bus_options options;
    options.scope = session.scope;
    options.broadcast = session.broadcast;
    options.group = session.group;
    options.port = session.port;
    return options;
}

bool uses_family(const bus_options& options, ip_family family) noexcept {
    switch (options.families) {
    case family_rule::ipv4: return family == ip_family::v4;
    case family_rule::ipv6: return family == ip_family::v6;
    case family_rule::automatic:
    case family_rule::both: break;
    }
    return true;
}

ip_family main_family(const bus_options& options) {
    if (options.families == family_rule::ipv4) return ip_family::v4;
    if (options.families == family_rule::ipv6) return ip_family::v6;
    if (!options.group) return ip_family::v4;
    const auto group = ip_address::parse(*options.group);
    return group ? group->family : ip_family::v4;
}

std::vector<std::string> option_warnings(const bus_options& options) {
    std::vector<std::string> warnings;
    if (options.broadcast || !options.group) return warnings;
    const auto group = ip_address::parse(*options.group);
    if (!group) return warnings;
    if (!group->is_multicast()) {
        warnings.push_back(fmt::format(
            "ADDRESS={} is not a multicast address; use one of 239.255.0.0/16 or ff02::/16", *options.group));
        return warnings;
    }
    if (!uses_family(options, group->family)) {
        warnings.push_back(
            fmt::format("ADDRESS={} is not used because families = \"{}\"; set families = \"auto\"",
                        *options.group, to_string(options.families)));
    }
    const unsigned expected = options.scope == mbus::protocol::scope::host_local ? 1 : 2;
    if (group->family == ip_family::v6 && scope_field(*group) != expected) {
        warnings.push_back(
            fmt::format("ADDRESS={} has another scope than SCOPE={}; the address is used, SCOPE sets the "
                        "hop limit; write ff0{}::... to make both agree",
                        *options.group, to_string(options.scope), expected));
    }
    return warnings;
}

}  // namespace mbusd
