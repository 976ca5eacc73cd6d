// Exactly once and in order over connections that break anywhere.
#include <doctest/doctest.h>

#include <random>

#include "unit/sdk_websocket/loopback_server.hpp"

namespace {

constexpr int messages = 2000;
constexpr int cuts = 40;

std::string numbered(int number) { return "n.umber(" + std::to_string(number) + ")"; }

}  // namespace

TEST_CASE("2000 numbered messages each way arrive once and in order over 40 cuts at random points") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    loopback_server server;
    auto bus = mbus::connection::start(server.options());
    std::optional<mbus::entity> me;
    bus.attach("app:a").then([&](mbus::result<mbus::entity> attached) { me.emplace(std::move(*attached)); });
    server.run_until(bus, [&] { return me.has_value(); });
    std::vector<std::string> got;
    me->on_message([&](const mbus::received_message& message) { got.emplace_back(message.body); });
    int new_sessions = 0;
    bus.on_state([&](const mbus::connection_event& event) {
        if (event.state == mbus::connection_state::connected && !event.resumed) ++new_sessions;
    });

    int sent = 0;
    int cut = 0;
    int turns_to_cut = 5;
    server.run_until(bus, [&] {
        for (int i = 0; i < 20 && sent < messages && me->send("app:b", mbus::payload{numbered(sent)}); ++i) {
            server.deliver(numbered(sent));
            ++sent;
        }
        server.write_octets_max = std::uniform_int_distribution<std::size_t>{1, 3000}(random);
        if (cut < cuts && --turns_to_cut == 0) {
            server.cut();
            ++cut;
            turns_to_cut = std::uniform_int_distribution<int>{3, 40}(random);
        }
        return server.host.routed.size() >= messages && got.size() >= messages;
    });

    CHECK(new_sessions == 0);
    REQUIRE(got.size() == messages);
    REQUIRE(server.host.routed.size() == messages);
    bool in_order = true;
    for (int i = 0; i < messages; ++i) {
        const auto at = static_cast<std::size_t>(i);
        in_order = in_order && got[at] == numbered(i) && server.host.routed[at].body == numbered(i);
    }
    CHECK(in_order);
    CHECK(bus.missed() == 0);
}
