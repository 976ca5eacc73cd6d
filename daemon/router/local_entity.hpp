// An entity that this daemon hosts: for a client's session, for a participant, or for itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include <mbus/address.hpp>

#include "mbws/broker_session.hpp"
#include "protocol/node.hpp"

namespace mbusd {

struct session_record;
class participant;

struct local_entity {
    mbus::protocol::entity_handle handle{};
    session_record* owner = nullptr;             // null: a participant's, or the daemon's own
    mbus::mbws::broker_session* session = nullptr;
    participant* host = nullptr;                 // null: a session's, or the daemon's own
    std::unique_ptr<mbus::mbws::attachment> sender;  // a participant's: what its messages are from
    std::uint32_t slot = 0;                      // attach_request::slot
    mbus::address address;
    mbus::protocol::time_point since{};          // attached
    std::string type;                            // media type wanted besides commands; empty: commands only
    std::string commands;                        // globs on command names; empty: all
    bool kept = false;                           // what it gets is stored: a durable session's or a queue's
    bool gone = false;                           // detached; kept to the end of the turn
};

// A client that gets a copy of every message whose source or destination contains `pattern`.
struct monitor {
    std::uint64_t id = 0;
    session_record* owner = nullptr;
    mbus::mbws::broker_session* session = nullptr;
    std::uint32_t slot = 0;
    mbus::address pattern;
    std::string type;
    std::string commands;
    bool gone = false;                           // as above
};

// A client that wants to know who comes and goes.
struct watcher {
    mbus::mbws::broker_session* session = nullptr;
    std::uint32_t slot = 0;
    mbus::address pattern;
};

}  // namespace mbusd
