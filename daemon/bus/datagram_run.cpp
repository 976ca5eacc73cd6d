#include "bus/datagram_run.hpp"

#include "bus/bus_options.hpp"

namespace mbusd {

using mbus::protocol::ip_family;
using mbus::protocol::outgoing;

std::size_t run_octets_max(ip_family family) noexcept {
    // The header of IPv6 has 20 octets more, and the kernel counts it as IPv4 does.
    return family == ip_family::v4 ? udp_octets_max : udp_octets_max - 20;
}

std::size_t run_length(std::span<const outgoing> datagrams, const run_limits& limits) noexcept {
    const outgoing& front = datagrams.front();
    const std::size_t segment = front.datagram.size();
    if (segment == 0 || segment > limits.segment_octets) return 1;
    const auto joins = [&](const outgoing& next) {
        return next.group == front.group && (next.group || next.to == front.to) && !next.datagram.empty() &&
               next.datagram.size() <= segment;
    };
    std::size_t count = 1;
    std::size_t octets = segment;
    while (count < std::min(datagrams.size(), run_datagrams_max)) {
        const outgoing& next = datagrams[count];
        if (!joins(next) || octets + next.datagram.size() > limits.octets) break;
        octets += next.datagram.size();
        ++count;
        if (next.datagram.size() < segment) break;
    }
    return count;
}

}  // namespace mbusd
