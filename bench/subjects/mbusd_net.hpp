// Two mbusd on a network, with the publisher at the first and the readers at the second: every message crosses the
// bus as RFC 3259 says, multicast and authenticated.
#pragma once

#include <memory>

#include "harness/network.hpp"
#include "harness/subject.hpp"
#include "subjects/mbusd.hpp"
#include "subjects/mbusd_process.hpp"

namespace bench {

struct mbusd_net_use {
    span where = span::loopback;
    bus_profile keys = bus_profile::sha1;
    mbusd_use how{.full_address = false};
};

std::unique_ptr<subject> make_mbusd_net(const subject_plan& plan, const mbusd_net_use& use);

}  // namespace bench
