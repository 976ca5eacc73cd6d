// Builds rtnetlink messages octet by octet, for tests of the interface table.
#pragma once

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "bus/ip_address.hpp"

namespace netlink_text {

using octets = std::vector<std::byte>;

inline void append(octets& to, const void* data, std::size_t size) {
    const auto* from = static_cast<const std::byte*>(data);
    to.insert(to.end(), from, from + size);
    to.resize((to.size() + 3) / 4 * 4);
}

inline octets attribute(unsigned type, const void* data, std::size_t size) {
    octets made;
    const rtattr header{static_cast<unsigned short>(sizeof(rtattr) + size),
                        static_cast<unsigned short>(type)};
    append(made, &header, sizeof header);
    append(made, data, size);
    return made;
}

inline octets attribute(unsigned type, const std::string& text) {
    return attribute(type, text.c_str(), text.size() + 1);
}
inline octets attribute(unsigned type, std::uint32_t number) {
    return attribute(type, &number, sizeof number);
}
inline octets attribute(unsigned type, const octets& nested) {
    return attribute(type, nested.data(), nested.size());
}

inline octets address_attribute(unsigned type, const std::string& text) {
    const auto address = mbusd::ip_address::parse(text).value();
    return attribute(type, address.octets.data(), address.family == mbusd::ip_family::v4 ? 4 : 16);
}

inline octets operator+(octets left, const octets& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

template <class Body>
octets message(std::uint16_t type, const Body& body, const octets& attributes) {
    octets made;
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_len =
        static_cast<std::uint32_t>(sizeof header + NLMSG_ALIGN(sizeof body) + attributes.size());
    append(made, &header, sizeof header);
    append(made, &body, sizeof body);
    return made + attributes;
}

inline octets link(std::uint16_t type, int index, const std::string& name, unsigned flags,
                   std::uint32_t mtu = 1500, const octets& more = {}, unsigned char family = AF_UNSPEC) {
    ifinfomsg body{};
    body.ifi_family = family;
    body.ifi_index = index;
    body.ifi_flags = flags;
    return message(type, body, attribute(IFLA_IFNAME, name) + attribute(IFLA_MTU, mtu) + more);
}

inline octets new_link(int index, const std::string& name,
                       unsigned flags = IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST,
                       std::uint32_t mtu = 1500, const octets& more = {}) {
    return link(RTM_NEWLINK, index, name, flags, mtu, more);
}

inline octets slave_of(const std::string& kind) {
    return attribute(IFLA_LINKINFO, attribute(IFLA_INFO_SLAVE_KIND, kind));
}

inline octets loopback(unsigned flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK) {
    return new_link(1, "lo", flags, 65536);
}

struct address_options {
    std::string broadcast = {};
    std::uint32_t flags = 0;
    unsigned char scope = RT_SCOPE_UNIVERSE;
    unsigned char prefix = 24;
};

inline octets address(std::uint16_t type, unsigned index, const std::string& text,
                      const address_options& options = {}) {
    ifaddrmsg body{};
    body.ifa_family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
    body.ifa_prefixlen = options.prefix;
    body.ifa_index = index;
    body.ifa_scope = options.scope;
    octets attributes = address_attribute(IFA_ADDRESS, text);
    if (body.ifa_family == AF_INET) attributes = attributes + address_attribute(IFA_LOCAL, text);
    if (!options.broadcast.empty())
        attributes = attributes + address_attribute(IFA_BROADCAST, options.broadcast);
    return message(type, body, attributes + attribute(IFA_FLAGS, options.flags));
}

inline octets new_address(unsigned index, const std::string& text, const address_options& options = {}) {
    return address(RTM_NEWADDR, index, text, options);
}

}  // namespace netlink_text
