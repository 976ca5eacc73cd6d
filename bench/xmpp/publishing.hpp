// An Atom entry that is published to a node with many subscribed XMPP sessions, and what each session takes.
#pragma once

#include <chrono>
#include <cstddef>

#include "xmpp/servers.hpp"

namespace bench {

struct xmpp_load {
    std::size_t subscribers = 1000;
    bool managed = false;                  // with stream management (XEP-0198)
    std::chrono::milliseconds time{1500};  // one entry after the other for so long
};

struct xmpp_delivery {
    double p50 = 0, p99 = 0;  // ms from the publisher's write to the read of the event
    double cpu = 0;           // us of the server, per event
    double session = 0;       // KB that a bound session takes before it subscribes
    std::size_t entries = 0;  // that were published
};

// All clients are light readers of this process (xmpp_reader.hpp), with one account.
[[nodiscard]] xmpp_delivery measure_xmpp(const xmpp_server& at, const xmpp_load& load);

}  // namespace bench
