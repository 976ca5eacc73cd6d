// The floor of the bus: UDP multicast of small datagrams, each with an HMAC-SHA1-96 that the receiver checks, and
// nothing else. Directly between two processes, or through a relay process on each side as mbusd stands there.
#pragma once

#include <memory>

#include "harness/network.hpp"
#include "harness/subject.hpp"

namespace bench {

struct udp_floor_use {
    span where = span::loopback;
    bool segmented = false;  // runs of datagrams in one call (UDP_SEGMENT) and out of it (UDP_GRO)
    bool relays = false;
};

std::unique_ptr<subject> make_udp_floor(const subject_plan& plan, const udp_floor_use& use);

}  // namespace bench
