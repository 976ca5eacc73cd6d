// What the router counts. Every message of a client ends in one of these; nothing is dropped
// silently.
#pragma once

#include <cstdint>

namespace mbusd {

struct router_counters {
    std::uint64_t sessions_opened = 0;
    std::uint64_t sessions_resumed = 0;
    std::uint64_t sessions_refused = 0;      // rights or limits
    std::uint64_t attaches_refused = 0;
    std::uint64_t routed = 0;                // messages of clients
    std::uint64_t refused_rights = 0;        // of these refused: the sender may not send there
    std::uint64_t refused_address = 0;       // no address
    std::uint64_t refused_size = 0;          // no datagram holds it
    std::uint64_t refused_bus = 0;           // the engine took no more
    std::uint64_t delivered = 0;             // to sessions, one per receiving entity
    std::uint64_t filtered = 0;              // the receiver's command globs leave it out
    std::uint64_t dropped_policy = 0;        // by the receiver's slow-reader policy
    std::uint64_t dropped_limit = 0;         // limits.queue_octets_per_user
    std::uint64_t overflowed = 0;            // reliable, and the receiver's queue was full
    std::uint64_t too_large_for_client = 0;  // beyond the receiver's `size`
    std::uint64_t reliable_local = 0;
    std::uint64_t reliable_bus = 0;
    std::uint64_t no_match = 0;
    std::uint64_t not_unique = 0;
    std::uint64_t monitor_copies = 0;
    std::uint64_t not_routed = 0;            // of durable sessions: taken over, and perhaps not routed
    std::uint64_t requests_answered = 0;     // by the daemon's own entity
    std::uint64_t requests_refused = 0;
    std::uint64_t malformed_connections = 0;  // closed for a bad frame
};

}  // namespace mbusd
