// What the router and the gateways know of the bus: the engine, the clock of the turn, and the
// promise that what they put into the engine leaves at the end of the turn.
//
//     const auto at = bus.now();
//     auto sent = bus.node().send(at, request);
//     bus.schedule_flush();                      // once per turn, however often it is called
//
// `bus_driver` is the one with sockets; tests of the router bring their own.
#pragma once

#include <cstdint>
#include <string_view>

#include "bus/bus_status.hpp"
#include "protocol/node.hpp"
#include "protocol/time.hpp"

namespace mbusd {

class bus {
public:
    // The clocks as read at the start of this turn of the event loop: equal for everything that
    // happens in it.
    [[nodiscard]] virtual mbus::protocol::instant now() = 0;

    // Sends what the engine holds, and sets the timer anew, when the handlers that are ready now
    // have run. Call it after every input to the engine (attach, detach, send, transmit).
    virtual void schedule_flush() = 0;

    [[nodiscard]] virtual mbus::protocol::node& node() = 0;
    [[nodiscard]] virtual bus_status status() const = 0;
    // The name of a network interface of this host; empty when there is none (any more).
    [[nodiscard]] virtual std::string_view interface_name(std::uint32_t index) const = 0;

protected:
    ~bus() = default;
};

}  // namespace mbusd
