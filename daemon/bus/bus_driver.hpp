// The engine on real sockets: a node, the sockets of both families, the interface table, one timer.
//
//     bus_driver bus{context, options, node_options, std::move(envelope), router, log};
//     bus.start();
//     ...
//     bus.stop();                                  // bye, then silence
//
// A turn: the clocks are read once; what arrived goes into the engine; what is due runs; at the end
// everything that waits is sent. Starts with no network at all and follows every change of the
// interfaces. Send errors are counted and told, never fatal.
//
// One thread: that of `context`. `context`, `events` and `log` outlive the driver.
#pragma once

#include <memory>

#include <boost/asio/io_context.hpp>

#include "bus/bus.hpp"
#include "bus/bus_options.hpp"
#include "protocol/envelope.hpp"
#include "protocol/node.hpp"
#include "runtime/log.hpp"
#include "runtime/turn_end.hpp"

namespace mbusd {

class bus_driver final : public bus {
public:
    // Reads the interfaces and fixes the host-id (`engine.host_id` is filled in when empty; so are
    // `session_port` and `datagram_budget`). Throws std::system_error when the kernel gives no
    // socket at all; the text says which.
    bus_driver(boost::asio::io_context& context, bus_options options, mbus::protocol::node_options engine,
               mbus::protocol::envelope security, mbus::protocol::node_events& events, logger& log);
    ~bus_driver();
    bus_driver(const bus_driver&) = delete;
    bus_driver& operator=(const bus_driver&) = delete;

    // Ends its turns there, together with others; before start(). Outlives the driver.
    void use(turn_end& end);

    // Begins to listen.
    void start();

    // Detaches every entity, sends their bye, closes the sockets. Idempotent; start() is not
    // possible afterwards.
    void stop();

    // Other globs after a reload of the configuration: joins and leaves at once.
    void set_interface_filter(std::vector<std::string> allow, std::vector<std::string> deny);

    [[nodiscard]] mbus::protocol::instant now() override;
    void schedule_flush() override;
    [[nodiscard]] mbus::protocol::node& node() override;
    [[nodiscard]] bus_status status() const override;
    [[nodiscard]] std::string_view interface_name(std::uint32_t index) const override;

private:
    struct implementation;
    std::shared_ptr<implementation> parts_;
};

}  // namespace mbusd
