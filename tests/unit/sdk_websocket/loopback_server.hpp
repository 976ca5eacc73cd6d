// A broker that speaks MBWS over WebSocket on a free port of 127.0.0.1, in the test's own thread:
//
//     loopback_server server;
//     auto bus = mbus::connection::start({.socket = server.url()});
//     server.run_until(bus, [&] { return bus.state() == mbus::connection_state::connected; });
//
// What sessions send is in host.routed; deliver() sends to the one session's first entity.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/websocket.hpp>

#include "mbws/websocket_input.hpp"
#include "unit/mbws/fixtures.hpp"

class loopback_server {
public:
    loopback_server();
    ~loopback_server();
    loopback_server(const loopback_server&) = delete;
    loopback_server& operator=(const loopback_server&) = delete;

    [[nodiscard]] std::string url() const { return "ws://127.0.0.1:" + std::to_string(port_) + "/mbws"; }
    [[nodiscard]] mbus::connect_options options() const;

    void turn();
    // Runs both sides until `done`; fails the test when that takes far too long.
    void run_until(mbus::connection& bus, const std::function<bool()>& done);

    void deliver(std::string_view body);
    // All connections are reset, in the middle of whatever they were doing.
    void cut();
    void ping(std::string_view payload);       // of RFC 6455
    void write_raw(std::string_view octets);   // instead of a frame
    [[nodiscard]] std::size_t connections() const noexcept { return clients_.size(); }

    mbus::mbws::testing::test_host host;
    bool offers_native = true;
    bool answers = true;                 // false: accepts and says nothing
    std::string refusal{};               // written instead of 101
    std::size_t write_octets_max = static_cast<std::size_t>(-1);  // of one turn
    std::vector<std::string> requests{}; // what clients asked for
    std::vector<std::string> pongs{};
    mbus::mbws::binding last_binding = mbus::mbws::binding::text;

private:
    struct client;
    void accept();
    void serve(client& one);
    void answer_handshake(client& one);
    void take_frames(client& one);

    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::vector<std::unique_ptr<client>> clients_;
    mbus::mbws::message_preparer preparer_;
};
