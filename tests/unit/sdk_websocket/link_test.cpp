// A connection over WebSocket: bindings, defaults, large messages, pings.
#include <doctest/doctest.h>

#include "unit/sdk_websocket/loopback_server.hpp"

using mbus::connection_state;
namespace mbws = mbus::mbws;

namespace {

bool is_connected(const mbus::connection& bus) { return bus.state() == connection_state::connected; }

mbus::entity attach(loopback_server& server, mbus::connection& bus) {
    std::optional<mbus::entity> me;
    bus.attach("app:a").then([&](mbus::result<mbus::entity> attached) {
        REQUIRE(attached);
        me.emplace(std::move(*attached));
    });
    server.run_until(bus, [&] { return me.has_value(); });
    return std::move(*me);
}

}  // namespace

TEST_CASE("given a server with the extension, then frames go in the native binding") {
    loopback_server server;
    auto bus = mbus::connection::start(server.options());
    auto me = attach(server, bus);
    REQUIRE(me.send("app:b", "x.y(1)"));
    server.run_until(bus, [&] { return !server.host.routed.empty(); });
    CHECK(server.host.routed[0].body == "x.y(1)");
    CHECK(server.last_binding == mbws::binding::native);
    CHECK(server.requests[0].starts_with("GET /mbws HTTP/1.1\r\n"));
    CHECK(server.requests[0].find("Sec-WebSocket-Protocol: mbws\r\n") != std::string::npos);
    CHECK(server.requests[0].find("Authorization") == std::string::npos);
}

TEST_CASE("given a server without the extension, then frames go in the binary binding") {
    loopback_server server;
    server.offers_native = false;
    auto bus = mbus::connection::start(server.options());
    auto me = attach(server, bus);
    REQUIRE(me.send("app:b", "x.y(1)"));
    server.run_until(bus, [&] { return !server.host.routed.empty(); });
    CHECK(server.last_binding == mbws::binding::binary);
}

TEST_CASE("a session over WebSocket has a window of 256 and an expiry of 60 s, unless one says otherwise") {
    loopback_server server;
    auto bus = mbus::connection::start(server.options());
    server.run_until(bus, [&] { return is_connected(bus); });
    CHECK(server.host.last_window == 256);
    CHECK(server.host.last_expiry == 60);
    auto options = server.options();
    options.window = 8;
    options.expiry = std::chrono::seconds{7};
    auto other = mbus::connection::start(options);
    server.run_until(other, [&] { return is_connected(other); });
    CHECK(server.host.last_window == 8);
    CHECK(server.host.last_expiry == 7);
}

TEST_CASE("the descriptor is the same over reconnects") {
    loopback_server server;
    auto bus = mbus::connection::start(server.options());
    const int before = bus.fd();
    server.run_until(bus, [&] { return is_connected(bus); });
    server.cut();
    server.run_until(bus, [&] { return !is_connected(bus); });
    server.run_until(bus, [&] { return is_connected(bus); });
    CHECK(bus.fd() == before);
}

TEST_CASE("a message of many frames passes whole both ways, also when the socket takes little at a time") {
    loopback_server server;
    auto bus = mbus::connection::start(server.options());
    auto me = attach(server, bus);
    std::string got;
    me.on_message([&](const mbus::received_message& message) { got = message.body; });
    std::string text(700'000, 'a');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i * i % 26);
    const auto body = "x.y(\"" + text + "\")";

    REQUIRE(me.send("app:b", mbus::payload{std::string_view{body}}));
    server.run_until(bus, [&] { return !server.host.routed.empty(); });
    CHECK(server.host.routed[0].body == body);

    server.write_octets_max = 50'000;
    server.deliver(body);
    server.run_until(bus, [&] { return !got.empty(); });
    CHECK(got == body);
}

TEST_CASE("a ping of RFC 6455 is answered, one of MBWS too") {
    loopback_server server;
    auto bus = mbus::connection::start(server.options());
    server.run_until(bus, [&] { return is_connected(bus); });
    server.ping("are you there");
    server.run_until(bus, [&] { return !server.pongs.empty(); });
    CHECK(server.pongs[0] == "are you there");
    std::optional<bool> answered;
    bus.ping().then([&](mbus::result<std::chrono::microseconds> way) { answered = way.has_value(); });
    server.run_until(bus, [&] { return answered.has_value(); });
    CHECK(*answered);
}

TEST_CASE("a connection that goes ends its session at the daemon") {
    loopback_server server;
    {
        auto bus = mbus::connection::start(server.options());
        server.run_until(bus, [&] { return is_connected(bus); });
        auto ended = bus.close(std::chrono::milliseconds{1});  // writes `close`; nobody runs the server now
        server.turn();
        (void)ended;
    }
    for (int i = 0; i < 100 && server.host.ends.empty(); ++i) server.turn();
    CHECK(server.host.ends == std::vector{mbws::end_reason::closed});
}
