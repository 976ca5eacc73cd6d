// Runs of datagrams that cross the kernel's network stack as one, and are cut again as late as can be
// (UDP_SEGMENT, Linux 4.18), or not before we read them (UDP_GRO, Linux 5.0). On the wire there are
// ordinary datagrams; who sends or hears them otherwise sees no difference (docs/decisions/0024).
//
//     const auto count = run_length(waiting, {.segment_octets = target.payload_max, ...});
//     for_each_segment(buffer, gso_size, [&](std::string_view datagram, bool last) { ... });
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include "protocol/node.hpp"

namespace mbusd {

// The kernel takes 64 at once (128 since Linux 6.9).
inline constexpr std::size_t run_datagrams_max = 64;

struct run_limits {
    std::size_t segment_octets = 0;  // of one datagram: what would travel in fragments goes alone
    std::size_t octets = 0;          // of all: the payload of one packet of this family, as long as it may be
};

// The largest payload of one UDP message.
[[nodiscard]] std::size_t run_octets_max(mbus::protocol::ip_family family) noexcept;

// How many from the front can go as one message: to the same place, all of the same length; only the
// last may be shorter. 1 when there is nothing to join; `datagrams` is not empty.
[[nodiscard]] std::size_t run_length(std::span<const mbus::protocol::outgoing> datagrams,
                                     const run_limits& limits) noexcept;

// Cuts what was received as one. `segment_octets` 0: it was one datagram.
template <class Visit>
void for_each_segment(std::string_view buffer, std::size_t segment_octets, const Visit& visit) {
    if (segment_octets == 0) return visit(buffer, true);
    do {
        const auto one = buffer.substr(0, segment_octets);
        buffer.remove_prefix(one.size());
        visit(one, buffer.empty());
    } while (!buffer.empty());
}

}  // namespace mbusd
