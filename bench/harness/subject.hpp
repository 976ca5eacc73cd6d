// What is measured: a way for processes of this host to exchange messages. mbusd, each peer and each floor
// is a subject; the driver (drive.hpp) asks all of them for the same few things.
//
//     auto bus = make_relay({.readers = 1});            // starts what must run
//     auto one = bus->join({.role = part::subscriber, .delivered = &count});   // in a process of its own
//     one->serve(10ms);
//
// A subject runs in the process of the driver, a participant in a process forked from it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/shared_run.hpp"

namespace bench {

enum class part : std::uint8_t {
    publisher,   // offers messages
    subscriber,  // counts them
    caller,      // sends one and waits for the answer
    echo,        // answers each
};

// What one participant is to do.
struct seat {
    part role = part::publisher;
    std::size_t index = 0;       // of this subscriber
    std::size_t payload = 64;    // octets of the application
    std::size_t readers = 1;     // of each message
    tally* delivered = nullptr;  // where a subscriber counts
};

class participant {
public:
    virtual ~participant() = default;
    participant(const participant&) = delete;
    participant& operator=(const participant&) = delete;

    // Offers so many messages in one turn, as an application does, with whatever the library wants at
    // the end of a turn. May block; never drops.
    virtual void publish(std::size_t count) = 0;
    // Subscriber: counts what comes into seat::delivered. Echo: answers what comes. For about `time`.
    virtual void serve(std::chrono::milliseconds time) = 0;
    // Caller: sends one message and waits for its answer; false when there is none in time.
    virtual bool call(std::chrono::milliseconds limit) = 0;

protected:
    participant() = default;
};

class subject {
public:
    virtual ~subject() = default;
    subject(const subject&) = delete;
    subject& operator=(const subject&) = delete;

    // Called in the participant's own process.
    virtual std::unique_ptr<participant> join(const seat& where) = 0;
    // The processes in the middle, whose CPU is charged to the daemon.
    [[nodiscard]] virtual std::vector<pid_t> servers() const { return {}; }
    // How often servers() have asked the heap for memory so far; none where that is not counted.
    [[nodiscard]] virtual std::optional<std::uint64_t> allocations() const { return std::nullopt; }
    // How many messages may be on their way to the slowest subscriber. The driver holds the publisher there,
    // so that a subject without back pressure of its own loses nothing.
    [[nodiscard]] virtual std::size_t in_flight() const { return 16384; }

protected:
    subject() = default;
};

// How a row makes its subject anew; `readers` of each message.
struct subject_plan {
    std::size_t readers = 1;
    std::size_t payload = 64;
    bool round_trip = false;
    bool counted = false;  // allocations() is wanted; what does that is in the servers' memory, too
};
using subject_maker = std::function<std::unique_ptr<subject>(const subject_plan&)>;

// The row cannot be measured here: a program, a library or a right is missing. The text says which.
class not_available : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace bench
