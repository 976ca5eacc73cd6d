// The state of the bus as `mbus doctor` and the metrics show it. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mbusd {

// One interface that the bus uses.
struct interface_status {
    std::string name;
    std::uint32_t index = 0;
    std::size_t mtu = 0;
    bool carrier = false;  // the cable is in, the radio associated
    bool joined_v4 = false;
    bool joined_v6 = false;
    std::string address_v4;  // source of what is sent there; empty: none usable
    std::string address_v6;
    std::uint64_t datagrams_out = 0;
    std::uint64_t send_errors = 0;
    std::uint64_t oversized = 0;  // larger than the MTU, so fragmented (RFC 3259, section 6)
    std::string last_error;       // "No buffer space available"; empty: none so far
};

// An interface that is up but not used, and why.
struct skipped_interface {
    std::string name;
    std::string reason;  // "point-to-point", "denied by interfaces.deny", ...
};

struct bus_status {
    std::string scope;     // "HOSTLOCAL"
    std::string families;  // "auto"
    std::string host_id;
    std::string group_v4;  // destination in use; empty: family off
    std::string group_v6;
    std::uint16_t port = 0;              // of the session
    std::uint16_t endpoint_port_v4 = 0;  // our own unique endpoint; 0: no such socket
    std::uint16_t endpoint_port_v6 = 0;
    std::vector<interface_status> interfaces;
    std::vector<skipped_interface> skipped;
    std::vector<std::string> notes;  // "IPv6 is off: ...; run: ..."
    std::uint64_t send_errors = 0;   // all interfaces, also those that are gone
    std::uint64_t join_errors = 0;
    std::uint64_t oversized = 0;
    std::uint64_t without_link = 0;      // group datagrams while no interface was usable
    std::uint64_t stalled = 0;           // datagrams given up because the kernel took none for too long
    std::uint64_t kernel_drops = 0;      // receive buffer full
    std::uint64_t netlink_overruns = 0;  // interface events lost, table read anew
    std::size_t receive_buffer = 0;      // octets that the kernel granted
    std::size_t datagram_budget = 0;
    bool loopback_heard = false;  // our own datagram came back on the group socket
};

}  // namespace mbusd
