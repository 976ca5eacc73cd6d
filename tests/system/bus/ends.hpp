// The two ends of a bus test: a bus driver with an event loop, and a bare socket that sees what is on
// the wire.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "bus/bus_driver.hpp"
#include "bus/ip_address.hpp"
#include "runtime/unique_fd.hpp"

namespace ends {

// A driver with its own entities, and everything that its engine reported.
class daemon final : public mbus::protocol::node_events {
public:
    daemon(boost::asio::io_context& context, mbusd::bus_options options);

    // Starts, with one entity (app:<name>); its full address.
    std::string start(const std::string& name);
    void send(const std::string& destination, const std::string& payload, bool reliable = false);

    bool deliver(mbus::protocol::entity_handle to,
                 const std::shared_ptr<const mbus::protocol::inbound>& what) override;
    void observed(const std::shared_ptr<const mbus::protocol::inbound>& what) override;
    void sent(const mbus::protocol::send_report& report) override;
    void peer_changed(const mbus::protocol::peer_view& peer, mbus::protocol::peer_state state) override;

    [[nodiscard]] std::size_t peers() { return bus.node().entities() - 1; }
    [[nodiscard]] std::uint64_t drops(mbus::protocol::drop_reason reason) {
        return bus.node().counters().drops(reason);
    }
    [[nodiscard]] bool logged(std::string_view part) const;

    std::vector<std::string> log_lines;
    mbusd::logger log;
    mbusd::bus_driver bus;
    std::vector<std::string> delivered;  // payloads
    std::vector<mbus::protocol::send_report> reports;
    mbus::protocol::entity_handle entity{};
};

// One datagram as it arrived at a bare socket.
struct captured {
    std::string text;
    std::string source;
    std::uint16_t source_port = 0;
    std::string destination;
    int ttl = -1;
    std::uint32_t interface_index = 0;
};

// A program that shares the session port as other Mbus implementations do, and knows no keys.
class bystander {
public:
    // Joins `group` on the interface; none for a broadcast address.
    bystander(const std::string& group, const std::string& interface_name, std::uint16_t port = 47000,
              bool reuse_port = true);

    [[nodiscard]] std::optional<captured> next();
    void send(std::string_view text, const std::string& to, std::uint16_t port);

private:
    mbusd::ip_address group_;
    std::uint32_t interface_ = 0;
    mbusd::unique_fd fd_;
};

[[nodiscard]] bool is_hello(const captured& one);
[[nodiscard]] bool is_text(const captured& one);  // demo.text, which the tests send

[[nodiscard]] mbusd::bus_options link_local(mbusd::family_rule families = mbusd::family_rule::automatic);

// Runs the loop until `done` or the limit; whether it was done.
bool run_until(boost::asio::io_context& context, const std::function<bool()>& done,
               std::chrono::milliseconds limit = std::chrono::seconds{10});

// Runs the loop until both know each other and nobody else.
bool meet(boost::asio::io_context& context, daemon& one, daemon& other);

// The next datagram that `wanted` accepts, while the loop runs.
captured wait_for(boost::asio::io_context& context, bystander& from,
                  const std::function<bool(const captured&)>& wanted);

}  // namespace ends
