// What a program gets back: messages, outcomes of sends, requests and replies, peers.
// Thread-safety: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/command.hpp>
#include <mbus/export.hpp>
#include <mbus/value.hpp>

namespace mbus {

namespace detail {
class core;
}

// A message as one entity receives it.
struct received_message {
    address from;                    // full address of the sender
    address to;                      // as the sender wrote it
    address entity;                  // the entity of this program that it is for
    std::string body;                // the payload as it came: commands in text, or octets
    std::string type;                // media type of an opaque body; empty for commands
    bool reliable = false;
    bool redelivered = false;        // may have been seen before the connection broke
    bool monitored = false;          // a copy for a monitor, not a delivery
    std::chrono::system_clock::time_point time;  // when it was sent, by the sender's clock
    std::optional<std::uint32_t> sequence;       // its number on the bus; none: it never left this host
    std::string interface;                       // on which it came, "eth0"; empty: it never left this host

    // The commands of the body in order; empty for an opaque body. They are taken apart when first asked
    // for, so a program that only passes the body on does not pay for it (command_scanner reads commands
    // without copying them). Not from two threads at once.
    [[nodiscard]] MBUS_API const std::vector<command>& commands() const;
    // These in place of the body's.
    MBUS_API void set_commands(std::vector<command> those);

private:
    friend class detail::core;
    mutable std::vector<command> commands_;
    mutable bool taken_apart_ = false;
};

// A reliable message was acknowledged: it is in the receiver's queue at its daemon.
struct delivery {
    address by;                            // full address of the receiver
    unsigned tried = 1;                    // transmissions that were needed
    std::chrono::milliseconds took{0};
};

// A message was routed.
struct receipt {
    std::uint32_t matched = 0;  // how many entities its destination fitted
};

// A call, as the callee sees it.
struct request {
    address from;
    address to;
    std::string name;
    std::vector<value> arguments;
};

// An answer. `status` and `code` are the application's own words, "OK" unless it says otherwise.
struct reply {
    std::vector<value> results;
    std::string text{};           // for humans
    std::string status = "OK";    // a symbol
    std::string code = "OK";      // a symbol
    address from{};               // filled in for the caller
};

enum class peer_state : unsigned char {
    present,  // was there when one asked
    joined,
    left,     // said bye
    lost,     // fell silent
};

// "present", "joined", "left" or "lost".
[[nodiscard]] MBUS_API std::string_view to_string(peer_state state) noexcept;

// An entity on the bus, on this host or another.
struct peer {
    mbus::address address;
    peer_state state = peer_state::present;
};

}  // namespace mbus
