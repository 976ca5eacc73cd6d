// What the core of a connection remembers about its entities, watches and calls. The public handles
// share these records; the core forgets them when they are done.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <mbus/connection.hpp>
#include <mbus/entity.hpp>

#include "timers.hpp"

namespace mbus::detail {

template <class T>
using state_of = std::shared_ptr<operation_state<T>>;

// A message and the number under which it is taken over once it was handled (0: nothing to do).
struct inbox_entry {
    received_message message;
    std::uint64_t number = 0;
    std::uint64_t filled = 0;  // counts what the core has put into entries; 0: somebody took it out
};

// What a payload holds, or a text that is sent as it is.
struct outgoing_body {
    std::string_view octets;
    std::string_view type{};                // empty: commands
    const result<void>* status = nullptr;   // payload::status()
};
inline outgoing_body body_of(const payload& what) noexcept { return {what.body(), what.type(), &what.status()}; }

// A request of ours that waits for its answer.
struct open_call {
    std::string name;      // with ".return"
    address callee;        // as addressed
    state_of<reply> outcome;
    timers::id limit;
};

// An mbus.waiting that is being repeated.
struct open_wait {
    std::string condition;
    std::string to;
    std::chrono::milliseconds interval{0};
    state_of<void> outcome;
    timers::id again;
};

// Who answers calls.
struct request_rule {
    std::string names;
    deferred_request_handler handler;
};

struct entity_record : std::enable_shared_from_this<entity_record> {
    std::weak_ptr<core> owner;
    core* sender = nullptr;            // the same, to send with; null once gone
    std::uint32_t request = 0;         // of its attach
    attach_options options;
    mbus::address address;             // full, once attached
    bool attached = false;             // at least once
    bool gone = false;                 // detached, refused, or the connection is over
    error gone_reason;
    state_of<entity> attaching;
    timers::id attach_limit;

    std::deque<inbox_entry> inbox;
    std::size_t inbox_octets = 0;      // of the bodies
    bool has_news = false;             // there is a message, or none will ever be: gone
    std::deque<state_of<received_message>> receivers;
    std::shared_ptr<message_handler> on_message;
    std::shared_ptr<std::function<void(const error&)>> on_refused;

    std::vector<request_rule> rules;
    std::unordered_map<std::string, open_call> calls;   // by ID
    std::map<std::uint64_t, open_wait> waits;
};

struct watch_record {
    std::weak_ptr<core> owner;
    std::uint32_t request = 0;
    std::function<void(const peer&)> handler;
    // Address text -> seen in the present round. A round begins with each (re)connect.
    std::map<std::string, bool, std::less<>> known;
    bool first_round = true;
    std::function<void(result<std::uint32_t>)> answered;  // the end of the first round
    timers::id limit;
};

struct responder_record {
    std::weak_ptr<core> owner;
    std::weak_ptr<entity_record> callee;
    mbus::address caller;
    std::string name;
    value id;
    bool answered = false;

    ~responder_record();
};

}  // namespace mbus::detail
