#include <doctest/doctest.h>

#include "ends.hpp"
#include "network.hpp"

using namespace mbusd;

namespace {

bus_options broadcast(mbus::protocol::scope scope) {
    bus_options options;
    options.scope = scope;
    options.broadcast = true;
    return options;
}

}  // namespace

TEST_CASE(
    "ADDRESS=BROADCAST on a link: the network's broadcast address; both ends meet (RFC 3259 s6.1.3) [item 61]") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    network::enter(cable.second);
    ends::bystander wire{"10.9.0.255", "eth0"};
    boost::asio::io_context context;
    ends::daemon there{context, broadcast(mbus::protocol::scope::link_local)};
    network::enter(cable.first);
    ends::daemon here{context, broadcast(mbus::protocol::scope::link_local)};
    here.start("here");
    there.start("there");
    const auto hello =
        ends::wait_for(context, wire, [](const auto& d) { return ends::is_hello(d) && d.source == "10.9.0.1"; });
    CHECK(hello.destination == "10.9.0.255");
    CHECK(hello.source_port != 47000);
    CHECK(ends::meet(context, here, there));
}

TEST_CASE("ADDRESS=BROADCAST on IPv6: FF02::1 (RFC 3259 s6.1.3) [item 61]") {
    network::pair cable;
    if (!network::fresh_pair(cable, false)) return;
    network::enter(cable.second);
    ends::bystander wire{"ff02::1", "eth0"};
    network::enter(cable.first);
    boost::asio::io_context context;
    ends::daemon here{context, broadcast(mbus::protocol::scope::link_local)};
    here.start("here");
    CHECK(ends::wait_for(context, wire, ends::is_hello).destination == "ff02::1");
}

TEST_CASE(
    "host-local ADDRESS=BROADCAST stays on the loopback interface: 127.255.255.255, as Linux refuses TTL 0 "
    "(RFC 3259 s6.1.3, trap T6) [item 62]") {
    if (!network::fresh()) return;
    network::run("ip link set lo up");
    ends::bystander wire{"127.255.255.255", "lo"};
    boost::asio::io_context context;
    ends::daemon one{context, broadcast(mbus::protocol::scope::host_local)};
    ends::daemon two{context, broadcast(mbus::protocol::scope::host_local)};
    one.start("one");
    two.start("two");
    CHECK(ends::wait_for(context, wire, ends::is_hello).destination == "127.255.255.255");
    CHECK(ends::meet(context, one, two));
}

TEST_CASE("broadcast is never used without configuration (RFC 3259 s6.1.3) [item 63]") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    network::enter(cable.second);
    ends::bystander wire{"239.255.255.247", "eth0"};
    network::enter(cable.first);
    boost::asio::io_context context;
    ends::daemon one{context, ends::link_local()};
    one.start("one");
    for (int i = 0; i < 3; ++i) {
        one.send("()", "demo.text()");
        CHECK(ends::wait_for(context, wire, [](const auto&) { return true; }).destination ==
              "239.255.255.247");
    }
}
