// All that makes sessions and queues outlive the daemon, in one place: the router has one when there is
// a store that keeps things.
//
// One thread. The router and the store outlive it.
#pragma once

#include <string_view>
#include <utility>

#include "router/durable_sessions.hpp"
#include "router/journal.hpp"
#include "router/queue_table.hpp"
#include "router/sequence_blocks.hpp"
#include "store/store.hpp"

namespace mbusd {

struct durability {
    durability(router& hub, store& where, journal::commit_function commit, std::function<void()> wake)
        : kept(where), changes(std::move(commit), std::move(wake)), sessions(hub, changes, blocks), queues(hub, changes, blocks) {}

    store& kept;
    journal changes;
    sequence_blocks blocks;
    durable_sessions sessions;
    queue_table queues;
    bool readers_back = false;  // a session with a window has a connection again
    bool stalled = false;       // the store could not be written in the last turn
};

}  // namespace mbusd
