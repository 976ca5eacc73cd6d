// The network interfaces and addresses of this host, as rtnetlink(7) tells them.
//
// Pure: it is fed the octets of netlink messages, from a dump or from an event, and answers
// questions. `netlink_watch` reads the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "bus/ip_address.hpp"

namespace mbusd {

struct interface_address {
    ip_address address;
    ip_address broadcast;  // IPv4; unspecified if there is none
    std::uint8_t prefix_length = 0;
    bool tentative = false;   // IPv6: duplicate detection runs
    bool duplicate = false;   // IPv6: duplicate detection found somebody else
    bool secondary = false;   // IPv4: another address of the same subnet comes first
    bool host_scope = false;  // 127.0.0.1, ::1

    bool operator==(const interface_address&) const = default;
};

struct network_interface {
    std::uint32_t index = 0;
    std::string name;
    std::uint32_t flags = 0;  // IFF_UP, IFF_MULTICAST, ... of netdevice(7)
    std::size_t mtu = 0;
    std::string slave_kind;  // "bridge", "bond": it belongs to another interface; else empty
    std::vector<interface_address> addresses;  // in the kernel's order

    [[nodiscard]] bool has(unsigned flag) const noexcept { return (flags & flag) != 0; }
    bool operator==(const network_interface&) const = default;
};

class interface_table {
public:
    // Applies every RTM_NEWLINK, DELLINK, NEWADDR and DELADDR in `messages`; others are skipped, and
    // so is whatever is cut short. True if anything changed.
    bool apply(std::span<const std::byte> messages);

    // Forgets everything, before a new dump.
    void clear() noexcept { interfaces_.clear(); }

    // By index.
    [[nodiscard]] const std::map<std::uint32_t, network_interface>& interfaces() const noexcept {
        return interfaces_;
    }
    [[nodiscard]] const network_interface* find(std::uint32_t index) const noexcept;

    // True for an address of this host (all of 127.0.0.0/8 included).
    [[nodiscard]] bool is_local(const ip_address& address) const noexcept;

    bool operator==(const interface_table&) const = default;

private:
    bool apply_link(bool added, std::span<const std::byte> body);
    bool apply_address(bool added, std::span<const std::byte> body);

    std::map<std::uint32_t, network_interface> interfaces_;
};

}  // namespace mbusd
