#include <doctest/doctest.h>

#include "ends.hpp"
#include "network.hpp"

using namespace mbusd;

TEST_CASE("two hosts on a link meet and acknowledge, over IPv4, over IPv6 and over both (RFC 3259 s6, s6.1) "
          "[item 47] [item 48] [item 60]") {
    for (const auto families :
         {family_rule::automatic, family_rule::ipv4, family_rule::ipv6, family_rule::both}) {
        CAPTURE(to_string(families));
        network::pair cable;
        if (!network::fresh_pair(cable)) return;
        boost::asio::io_context context;
        ends::daemon here{context, ends::link_local(families)};
        network::enter(cable.second);
        ends::daemon there{context, ends::link_local(families)};
        here.start("here");
        const auto address = there.start("there");
        REQUIRE(ends::meet(context, here, there));
        here.send(address, "demo.text(1)", true);
        REQUIRE(ends::run_until(context, [&] { return here.reports.size() == 1; }));
        CHECK(here.reports[0].acknowledged);
        here.send("(app:there)", "demo.text(2)");
        CHECK(ends::run_until(context, [&] { return there.delivered.size() == 2; }));
    }
}

TEST_CASE(
    "link-local IPv4: group, port, TTL 1 and one endpoint; the host-ID is its address (RFC 3259 s4.1, s6.1.1, s6.2) "
    "[item 27] [item 54] [item 56] [item 64] [item 66]") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    network::enter(cable.second);
    ends::bystander wire{"239.255.255.247", "eth0"};
    network::enter(cable.first);
    boost::asio::io_context context;
    ends::daemon one{context, ends::link_local()};
    const auto own = one.start("one");
    const auto hello = ends::wait_for(context, wire, ends::is_hello);
    CHECK(hello.destination == "239.255.255.247");
    CHECK(hello.ttl == 1);
    CHECK(hello.source == "10.9.0.1");
    CHECK(hello.source_port == one.bus.status().endpoint_port_v4);
    CHECK(hello.source_port != 47000);
    CHECK(own.find("@" + hello.source + ")") != std::string::npos);
}

TEST_CASE("link-local IPv6: FF02::300, hop limit 1; the host-ID is the interface-ID (RFC 3259 s4.1, s6.1.2) "
          "[item 28] [item 57] [item 59]") {
    network::pair cable;
    if (!network::fresh_pair(cable, false)) return;
    network::run("ip link set eth0 down; ip link set eth0 address 02:a0:c9:12:34:56; ip link set eth0 up");
    network::wait_for_ipv6("eth0");
    network::enter(cable.second);
    ends::bystander wire{"ff02::300", "eth0"};
    network::enter(cable.first);
    boost::asio::io_context context;
    ends::daemon one{context, ends::link_local()};
    const auto own = one.start("one");
    const auto hello = ends::wait_for(context, wire, ends::is_hello);
    CHECK(hello.destination == "ff02::300");
    CHECK(hello.ttl == 1);
    CHECK(hello.source == "fe80::a0:c9ff:fe12:3456");
    CHECK(hello.source_port == one.bus.status().endpoint_port_v6);
    CHECK(own.find("@a0:c9ff:fe12:3456)") != std::string::npos);
}

TEST_CASE("the configured group and port are used (RFC 3259 s12) [item 54] [item 64]") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    ends::bystander wire{"224.255.222.239", "eth0", 47123};
    boost::asio::io_context context;
    auto options = ends::link_local();
    options.group = "224.255.222.239";
    options.port = 47123;
    ends::daemon one{context, options};
    one.start("one");
    CHECK(ends::wait_for(context, wire, ends::is_hello).destination == "224.255.222.239");
}

TEST_CASE("two daemons of one host hear each other on the link, not on the loopback interface") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    boost::asio::io_context context;
    ends::daemon one{context, ends::link_local()};
    ends::daemon two{context, ends::link_local()};
    ends::bystander loopback{"239.255.255.247", "lo"};
    one.start("one");
    const auto address = two.start("two");
    REQUIRE(ends::meet(context, one, two));
    one.send(address, "demo.text()", true);
    CHECK(ends::run_until(context, [&] { return one.reports.size() == 1 && one.reports[0].acknowledged; }));
    CHECK(one.bus.status().loopback_heard);
    CHECK_FALSE(loopback.next());
}

TEST_CASE("a message beyond the link's packets is sent, counted and told (RFC 3259 s6) [item 52]") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    boost::asio::io_context context;
    ends::daemon here{context, ends::link_local(family_rule::ipv4)};
    network::enter(cable.second);
    ends::daemon there{context, ends::link_local(family_rule::ipv4)};
    here.start("here");
    there.start("there");
    CHECK(here.bus.status().datagram_budget == 1472);
    REQUIRE(ends::run_until(context, [&] { return here.peers() == 1; }));
    here.send("(app:there)", "demo.text(\"" + std::string(3000, 'x') + "\")");
    CHECK(ends::run_until(context, [&] { return there.delivered.size() == 1; }));
    CHECK(here.bus.status().oversized == 1);
    CHECK(here.bus.status().interfaces.at(0).oversized == 1);
    CHECK(here.logged("travels in fragments"));
}

TEST_CASE("the end is told: bye leaves the peers at once (RFC 3259 s9.2)") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    boost::asio::io_context context;
    ends::daemon here{context, ends::link_local()};
    network::enter(cable.second);
    ends::daemon there{context, ends::link_local()};
    here.start("here");
    there.start("there");
    REQUIRE(ends::meet(context, here, there));
    there.bus.stop();
    there.bus.stop();  // once is enough, twice is no harm
    CHECK(ends::run_until(
        context, [&] { return here.peers() == 0; }, std::chrono::seconds{2}));
}
