// mbus::testing: a bus inside the process, for unit tests of programs that use libmbus.
//
//     mbus::testing::bus bus{42};                       // the seed of everything random
//     auto a = bus.connect();
//     auto b = bus.connect("other");                    // on a second host
//     auto sender = *a.attach("app:a").wait();
//     auto receiver = *b.attach("app:b").wait();
//     bus.advance(1500ms);                              // hosts hear of each other
//     bus.set_loss(0.3);
//     auto sent = sender.send_reliably("app:b", "demo.text(1)").wait();
//
// The connections are ordinary ones, and the daemons are the real engine of RFC 3259 with the real
// client protocol. Only the clock and the wire are not real: time stands still until advance() or a
// blocking call moves it, so a test of an hour runs in milliseconds and every run is the same.
// Programs on one host reach each other at once; between hosts datagrams take delay() and get lost.
//
// A blocking call runs all other connections of the bus too, so both sides of a request can be in one
// test. When nothing at all happens for an hour of virtual time, a wait without limit ends with
// errc::disconnected: the test waits for something that never comes.
//
// Component `testing` of find_package(mbus), library libmbus-testing.
// Thread-safety: none; a bus and its connections belong to one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <mbus/connection.hpp>
#include <mbus/export.hpp>

namespace mbus::testing {

namespace detail {
class world;
}  // namespace detail

// What happened on the wire between the hosts.
struct wire_counters {
    std::uint64_t datagrams = 0;  // sent, once per receiving host
    std::uint64_t lost = 0;
    std::uint64_t duplicated = 0;
};

class MBUS_API bus {
public:
    explicit bus(std::uint64_t seed = 1);
    bus(bus&&) noexcept;
    bus& operator=(bus&&) noexcept;
    ~bus();  // connections that are left see their daemon go

    // A connection to the daemon of a host, which starts with its first connection.
    [[nodiscard]] connection connect(std::string_view host = "here", const connect_options& options = {});

    // --- time ---------------------------------------------------------------------------------

    // Lets so much time pass; everything that is due happens, in order.
    void advance(std::chrono::milliseconds time);
    // Lets everything happen that needs no time.
    void settle();
    [[nodiscard]] clock::time_point now() const noexcept;

    // --- the wire between the hosts -------------------------------------------------------------

    // The probability that a datagram does not reach another host; 0 at first.
    void set_loss(double probability);
    // The probability that it comes twice; 0 at first.
    void set_duplication(double probability);
    // How long a datagram travels; 1 ms at first. With a spread, datagrams overtake each other.
    void set_delay(std::chrono::microseconds delay, std::chrono::microseconds spread = {});
    // Pulls the plug of a host, or puts it back.
    void set_plugged(std::string_view host, bool plugged);
    [[nodiscard]] const wire_counters& wire() const noexcept;

    // --- trouble --------------------------------------------------------------------------------

    // Cuts every connection to the daemon of a host; sessions with an expiry can be resumed.
    void break_connections(std::string_view host = "here");
    // The daemon ends at once, as with SIGKILL: sessions and entities are gone, nobody says bye.
    void kill_daemon(std::string_view host = "here");
    // Starts it again; connections come back by themselves.
    void start_daemon(std::string_view host = "here");

private:
    std::shared_ptr<detail::world> world_;
};

}  // namespace mbus::testing
