// A router on a real engine without sockets, and clients that speak MBWS frames to it in memory.
//
//     router_lab lab;
//     auto& alice = lab.client();
//     auto entity = alice.attach("(app:a)");
//     alice.send("(app:b)", "x()");
//     lab.turn();
//     CHECK(alice.take().verb == verb::message);
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bus/bus.hpp"
#include "mbws/broker_connection.hpp"
#include "mbws/connection_port.hpp"
#include "mbws/frame_reader.hpp"
#include "router/router.hpp"

namespace router_test {

using namespace std::chrono_literals;
namespace mbws = mbus::mbws;
namespace protocol = mbus::protocol;

// A frame that owns its octets.
struct received {
    std::string octets;
    mbws::frame_view view;
};

class test_bus final : public mbusd::bus {
public:
    explicit test_bus(protocol::node_events& events, std::string host = "10.0.0.1");

    protocol::instant now() override { return at; }
    void schedule_flush() override { flush_wanted = true; }
    protocol::node& node() override { return engine; }
    [[nodiscard]] mbusd::bus_status status() const override;
    [[nodiscard]] std::string_view interface_name(std::uint32_t index) const override;

    // What the engine wants to send, sealed; empties it.
    std::vector<std::string> flush();

    protocol::instant at{protocol::time_point{} + 1000h, 1700000000000};
    bool flush_wanted = false;
    protocol::node engine;

private:
    std::string host_;  // its address, part of the ids of its entities
};

class router_lab;

// One client connection.
class test_client final : public mbws::stream_port {
public:
    test_client(router_lab& lab, std::shared_ptr<const mbusd::peer_identity> who);
    ~test_client();

    // Frames to the broker.
    void frame(mbws::verb verb, std::uint64_t number, std::uint8_t flags,
               const std::function<void(mbws::frame_writer&)>& fields, std::string_view body = {});
    void connect(std::uint32_t window = 0, std::uint32_t expiry = 0, std::string_view session = {},
                 std::uint64_t received = 0);
    // Attaches and returns the full address; fails the test when refused.
    std::string attach(std::string_view entity, std::uint32_t request = 1,
                       const std::function<void(mbws::frame_writer&)>& more = {});
    void message(std::string_view to, std::string_view body, std::uint64_t number = 0, std::uint8_t flags = 0,
                 std::string_view type = {});
    void lose();

    // The next frame from the broker; fails the test when there is none.
    received take();
    [[nodiscard]] bool nothing();

    void wake() override {}
    void read_again() override { again = true; }

    bool again = false;    // read_again() was called
    bool stopped = false;  // the session wanted no more input after the last frame
    std::string token;

private:
    friend class router_lab;
    void pump();

    router_lab& lab_;
    std::uint64_t id_;
    mbws::broker_connection connection_;
    mbws::frame_reader reader_;
    std::string incoming_;
    std::deque<received> frames_;
};

class router_lab {
public:
    explicit router_lab(std::string_view toml = {}, std::string broker = "0123456789abcdef", std::string host = "10.0.0.1");

    // A connected client of a user with every right (or of `user`, in `groups`).
    test_client& client(std::uint32_t window = 0, std::uint32_t expiry = 0);
    test_client& client_of(const std::string& user, std::vector<std::string> groups, std::uint32_t uid = 1001);
    test_client& unconnected(std::shared_ptr<const mbusd::peer_identity> who);
    // Ends the turn: what waits runs, until nothing waits.
    void turn();
    void pass(std::chrono::milliseconds time);

    // A second engine on the same bus: what it sends is heard, what the router sends reaches it.
    struct neighbour;
    neighbour& other_host();
    // Carries datagrams both ways until all is silent.
    void carry();

    mbusd::config_reading configuration;
    mbusd::logger log;
    std::vector<std::string> logged;
    std::vector<std::function<void()>> posted;
    mbusd::turn_queue turns;
    mbusd::router hub;
    test_bus network;
    std::vector<std::unique_ptr<test_client>> clients;
    std::unique_ptr<neighbour> far;
};

struct router_lab::neighbour final : protocol::node_events {
    explicit neighbour(router_lab& lab);
    bool deliver(protocol::entity_handle to, const std::shared_ptr<const protocol::inbound>& what) override;
    void observed(const std::shared_ptr<const protocol::inbound>&) override {}
    void sent(const protocol::send_report&) override {}
    void peer_changed(const protocol::peer_view&, protocol::peer_state) override {}

    std::vector<std::shared_ptr<const protocol::inbound>> heard;
    bool takes = true;
    protocol::node engine;
};

std::shared_ptr<const mbusd::peer_identity> identity(const mbusd::rights_table& table, const std::string& user,
                                                     std::vector<std::string> groups, std::uint32_t uid, bool owner);

}  // namespace router_test
