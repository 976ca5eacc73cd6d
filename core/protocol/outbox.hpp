// Datagrams that wait for the kernel, oldest first. Messages are queued in clear, and sealed when
// they are asked for, so that a later message of the same turn can still join (coalescing).
//
//     auto& waiting = box.push();                   // fill in message, to, ...
//     auto all = box.seal(envelope, wall_ms);       // views for the driver
//     box.pop(all.size(), counters);                // they were sent
//
// Buffers are used again. References stay valid until the datagram is popped.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <mbus/address.hpp>

#include "message/ring.hpp"
#include "protocol/endpoint.hpp"
#include "protocol/envelope.hpp"
#include "protocol/node.hpp"

namespace mbus::protocol {

class local_entity;

struct waiting_datagram {
    std::string message;   // header and commands, each line with its line end
    std::string datagram;  // sealed
    address destination;
    bool group = true;
    bool presence = false;
    endpoint to;
    // Whose further messages to `destination` may join; null when it is closed.
    local_entity* open_for = nullptr;
};

class outbox {
public:
    // `final_line_end`: end messages with a line end (trap S1).
    explicit outbox(bool final_line_end) noexcept : final_line_end_(final_line_end) {}

    waiting_datagram& push();

    // Counts octets that were written into a waiting datagram.
    void grew(std::size_t octets) noexcept { octets_ += octets; }

    // Closes and seals what waits. The views are valid until pop() or the next seal().
    std::span<const outgoing> seal(envelope& security, std::uint64_t wall_ms);

    // Removes the first `count` sealed datagrams, which were sent.
    void pop(std::size_t count, counters& seen);

    [[nodiscard]] std::size_t size() const noexcept { return queue_.size(); }
    [[nodiscard]] std::size_t octets() const noexcept { return octets_; }  // of all waiting messages

private:
    // Spare buffers beyond these are given back to the system. Large ones are what messages join on the loopback
    // interface: a turn brings few of them, of up to 64 KB twice each, and what strings keep beyond that.
    static constexpr std::size_t spare_max = 256;
    static constexpr std::size_t spare_octets_max = 4096;
    static constexpr std::size_t spare_large_max = 2;

    ring<std::unique_ptr<waiting_datagram>> queue_;
    std::vector<std::unique_ptr<waiting_datagram>> spare_;
    std::vector<std::unique_ptr<waiting_datagram>> spare_large_;
    std::vector<outgoing> views_;  // of the first views_.size() entries
    std::size_t octets_ = 0;
    bool final_line_end_;
};

}  // namespace mbus::protocol
