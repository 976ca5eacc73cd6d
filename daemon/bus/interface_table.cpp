#include "bus/interface_table.hpp"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace mbusd {
namespace {

// Copies a structure from the start of `octets`; netlink gives no alignment promise to us.
template <class Header>
std::optional<Header> read_header(std::span<const std::byte> octets) {
    if (octets.size() < sizeof(Header)) return std::nullopt;
    Header header{};
    std::memcpy(&header, octets.data(), sizeof header);
    return header;
}

std::span<const std::byte> skip_header(std::span<const std::byte> octets, std::size_t length) {
    return octets.subspan(std::min(octets.size(), static_cast<std::size_t>(NLMSG_ALIGN(length))));
}

// Calls visit(type, payload) for each attribute; stops at one that is cut short.
template <class Visit>
void for_each_attribute(std::span<const std::byte> octets, Visit visit) {
    while (const auto header = read_header<rtattr>(octets)) {
        if (header->rta_len < sizeof(rtattr) || header->rta_len > octets.size()) return;
        visit(static_cast<unsigned>(header->rta_type & NLA_TYPE_MASK),
              octets.subspan(sizeof(rtattr), header->rta_len - sizeof(rtattr)));
        octets =
            octets.subspan(std::min(octets.size(), static_cast<std::size_t>(RTA_ALIGN(header->rta_len))));
    }
}

std::string text_of(std::span<const std::byte> payload) {
    const std::string text{reinterpret_cast<const char*>(payload.data()), payload.size()};
    return text.substr(0, text.find('\0'));
}

ip_address address_from(ip_family family, std::span<const std::byte> payload) {
    ip_address address;
    address.family = family;
    std::memcpy(address.octets.data(), payload.data(),
                std::min<std::size_t>(payload.size(), family == ip_family::v4 ? 4 : 16));
    return address;
}

std::string slave_kind_of(std::span<const std::byte> link_info) {
    std::string kind;
    for_each_attribute(link_info, [&](unsigned type, auto payload) {
        if (type == IFLA_INFO_SLAVE_KIND) kind = text_of(payload);
    });
    return kind;
}

}  // namespace

bool interface_table::apply(std::span<const std::byte> messages) {
    bool changed = false;
    while (const auto header = read_header<nlmsghdr>(messages)) {
        if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > messages.size()) break;
        const auto body = skip_header(messages.first(header->nlmsg_len), sizeof(nlmsghdr));
        switch (header->nlmsg_type) {
        case RTM_NEWLINK: changed |= apply_link(true, body); break;
        case RTM_DELLINK: changed |= apply_link(false, body); break;
        case RTM_NEWADDR: changed |= apply_address(true, body); break;
        case RTM_DELADDR: changed |= apply_address(false, body); break;
        default: break;
        }
        messages = skip_header(messages, header->nlmsg_len);
    }
    return changed;
}

bool interface_table::apply_link(bool added, std::span<const std::byte> body) {
    const auto header = read_header<ifinfomsg>(body);
    // AF_BRIDGE messages speak of membership in a bridge: RTM_DELLINK there is no removal.
    if (!header || header->ifi_index <= 0 || header->ifi_family != AF_UNSPEC) return false;
    const auto index = static_cast<std::uint32_t>(header->ifi_index);
    if (!added) return interfaces_.erase(index) != 0;

    const auto known = interfaces_.find(index);
    network_interface next = known == interfaces_.end() ? network_interface{} : known->second;
    next.index = index;
    next.flags = header->ifi_flags;
    next.slave_kind.clear();
    for_each_attribute(skip_header(body, sizeof(ifinfomsg)), [&](unsigned type, auto payload) {
        std::uint32_t number = 0;
        if (type == IFLA_IFNAME)
            next.name = text_of(payload);
        else if (type == IFLA_LINKINFO)
            next.slave_kind = slave_kind_of(payload);
        else if (type == IFLA_MTU && payload.size() == sizeof number) {
            std::memcpy(&number, payload.data(), sizeof number);
            next.mtu = number;
        }
    });
    if (known != interfaces_.end() && known->second == next) return false;
    interfaces_.insert_or_assign(index, std::move(next));
    return true;
}

bool interface_table::apply_address(bool added, std::span<const std::byte> body) {
    const auto header = read_header<ifaddrmsg>(body);
    if (!header || (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)) return false;
    const auto owner = interfaces_.find(header->ifa_index);
    if (owner == interfaces_.end()) return false;

    const auto family = header->ifa_family == AF_INET ? ip_family::v4 : ip_family::v6;
    std::uint32_t flags = header->ifa_flags;
    std::optional<ip_address> local;
    std::optional<ip_address> prefix;
    interface_address next;
    next.broadcast.family = family;
    for_each_attribute(skip_header(body, sizeof(ifaddrmsg)), [&](unsigned type, auto payload) {
        if (type == IFA_LOCAL)
            local = address_from(family, payload);
        else if (type == IFA_ADDRESS)
            prefix = address_from(family, payload);
        else if (type == IFA_BROADCAST)
            next.broadcast = address_from(family, payload);
        else if (type == IFA_FLAGS && payload.size() == sizeof flags)
            std::memcpy(&flags, payload.data(), sizeof flags);
    });
    // IFA_ADDRESS is the other end on point-to-point links; IFA_LOCAL is ours where it stands.
    if (!local) local = prefix;
    if (!local) return false;
    next.address = *local;
    next.prefix_length = header->ifa_prefixlen;
    next.tentative = family == ip_family::v6 && (flags & IFA_F_TENTATIVE) != 0;
    next.duplicate = family == ip_family::v6 && (flags & IFA_F_DADFAILED) != 0;
    next.secondary = family == ip_family::v4 && (flags & IFA_F_SECONDARY) != 0;
    next.host_scope = header->ifa_scope == RT_SCOPE_HOST;

    auto& addresses = owner->second.addresses;
    const auto known = std::ranges::find_if(addresses, [&](const interface_address& old) {
        return old.address == next.address && old.prefix_length == next.prefix_length;
    });
    if (!added) {
        if (known == addresses.end()) return false;
        addresses.erase(known);
        return true;
    }
    if (known == addresses.end()) {
        addresses.push_back(next);
        return true;
    }
    if (*known == next) return false;
    *known = next;
    return true;
}

const network_interface* interface_table::find(std::uint32_t index) const noexcept {
    const auto found = interfaces_.find(index);
    return found == interfaces_.end() ? nullptr : &found->second;
}

bool interface_table::is_local(const ip_address& address) const noexcept {
    if (address.is_loopback()) return true;
    return std::ranges::any_of(interfaces_, [&](const auto& entry) {
        return std::ranges::any_of(entry.second.addresses,
                                   [&](const interface_address& own) { return own.address == address; });
    });
}

}  // namespace mbusd
