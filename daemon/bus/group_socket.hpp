// The socket of one family that hears the group: bound to the session port, shared with every other
// Mbus program on the host, a member of the group on each interface in use.
//
// IPv4: bound to the group address, so unicast to the session port stays with the programs that
// want it. IPv6 (a bind to ff02:: would tie it to one interface) and broadcast: bound to any address.
// SO_REUSEADDR and SO_REUSEPORT are both set: the first shares with programs of other users, the
// second with programs that set that one only; every member gets every group datagram.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "bus/bus_options.hpp"
#include "bus/interface_rules.hpp"
#include "bus/ip_address.hpp"
#include "runtime/unique_fd.hpp"

namespace mbusd {

// Room for a burst of hellos: 5000 datagrams of 300 octets take about 1.3 KiB each in the kernel.
// Not resident while empty.
inline constexpr int receive_buffer_octets = 8 * 1024 * 1024;

// Where group traffic of `family` goes: ADDRESS, the default group of the scope (RFC 3259, section
// 6.1), or the broadcast address (which for IPv4 link-local scope is each interface's own; the
// generic 255.255.255.255 stands for it here).
[[nodiscard]] ip_address group_address(const bus_options& options, ip_family family);

class group_socket {
public:
    // Throws std::system_error; the text says what to do.
    group_socket(const bus_options& options, ip_family family);

    // Becomes a member on this interface; errno, or 0.
    int join(std::uint32_t interface_index);
    void leave(std::uint32_t interface_index) noexcept;

    [[nodiscard]] const ip_address& group() const noexcept { return group_; }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    void close() noexcept { fd_.reset(); }
    [[nodiscard]] std::size_t receive_buffer() const;

private:
    ip_address group_;
    bool member_ = true;  // false: broadcast needs no membership
    unique_fd fd_;
};

}  // namespace mbusd
