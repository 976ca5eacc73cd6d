#include <doctest/doctest.h>

#include "ends.hpp"
#include "network.hpp"

using namespace mbusd;

namespace {

// A reliable message from one to the other is acknowledged.
bool talks(boost::asio::io_context& context, ends::daemon& from, const std::string& to) {
    const auto before = from.reports.size();
    from.send(to, "demo.text()", true);
    return ends::run_until(context, [&] { return from.reports.size() > before; }) &&
           from.reports.back().acknowledged;
}

}  // namespace

TEST_CASE("a daemon that starts with no network picks the network up (loopback)") {
    if (!network::fresh()) return;
    boost::asio::io_context context;
    ends::daemon one{context, {}};
    ends::daemon two{context, {}};
    one.start("one");
    two.start("two");
    CHECK(one.bus.status().interfaces.empty());
    CHECK(one.logged("waits for one"));
    network::run("ip link set lo up");
    CHECK(ends::meet(context, one, two));
}

TEST_CASE("a daemon that starts with no network picks the network up (a new card)") {
    if (!network::fresh()) return;
    const auto other = network::current();
    network::run("ip link set lo up");
    if (!network::fresh()) return;
    boost::asio::io_context context;
    ends::daemon one{context, ends::link_local()};
    const auto own = one.start("one");
    CHECK(one.bus.status().interfaces.empty());
    CHECK(own.find('@') != std::string::npos);
    network::run(
        "ip link add late0 type veth peer name late1; ip link set late1 up; ip address add 10.7.0.1/24 dev late0; ip link set late0 up");
    CHECK(ends::run_until(context, [&] {
        const auto status = one.bus.status();
        return status.interfaces.size() >= 1 && status.interfaces[0].joined_v4;
    }));
    // and the host-ID stays what it was (design: chosen once per start)
    CHECK(own.find("@" + one.bus.status().host_id) != std::string::npos);
}

TEST_CASE("an interface that goes down and comes up again is used again, in both families") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    boost::asio::io_context context;
    ends::daemon here{context, ends::link_local()};
    network::enter(cable.second);
    ends::daemon there{context, ends::link_local()};
    network::enter(cable.first);
    const auto address = (here.start("here"), there.start("there"));
    REQUIRE(ends::meet(context, here, there));
    network::run("ip link set eth0 down");
    REQUIRE(ends::run_until(context, [&] { return here.bus.status().interfaces.empty(); }));
    here.send("()", "demo.text()");  // nobody hears it, nothing breaks
    REQUIRE(ends::run_until(context, [&] { return here.bus.status().without_link > 0; }));
    network::run("ip link set eth0 up");
    REQUIRE(ends::run_until(context, [&] {
        const auto status = here.bus.status();
        return status.interfaces.size() == 1 && status.interfaces[0].joined_v4 &&
               status.interfaces[0].joined_v6;
    }));
    CHECK(talks(context, here, address));
    CHECK(here.logged("interface left"));
}

TEST_CASE("a card that is pulled and another that is put in are followed") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    boost::asio::io_context context;
    ends::daemon here{context, ends::link_local()};
    here.start("here");
    REQUIRE(here.bus.status().interfaces.size() == 1);
    network::run("ip link delete eth0");
    REQUIRE(ends::run_until(context, [&] { return here.bus.status().interfaces.empty(); }));
    network::run(
        "ip link add new0 type veth peer name new1; ip link set new1 up; ip address add 10.7.0.1/24 dev new0; ip link set new0 up");
    CHECK(ends::run_until(context, [&] {
        const auto status = here.bus.status();
        return !status.interfaces.empty() && status.interfaces[0].name == "new0" &&
               status.interfaces[0].joined_v4;
    }));
}

TEST_CASE("after a change of address the new one is the source, and the host-ID stays") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    network::enter(cable.second);
    ends::bystander wire{"239.255.255.247", "eth0"};
    network::enter(cable.first);
    boost::asio::io_context context;
    ends::daemon one{context, ends::link_local(family_rule::ipv4)};
    const auto own = one.start("one");
    one.send("()", "demo.text()");
    CHECK(ends::wait_for(context, wire, ends::is_text).source == "10.9.0.1");
    network::run("ip address add 10.9.0.77/24 brd + dev eth0; ip address delete 10.9.0.1/24 dev eth0");
    network::run(
        "ip address show dev eth0 | grep -q 10.9.0.77 || ip address add 10.9.0.77/24 brd + dev eth0");
    REQUIRE(ends::run_until(context, [&] {
        const auto status = one.bus.status();
        return status.interfaces.size() == 1 && status.interfaces[0].address_v4 == "10.9.0.77";
    }));
    while (wire.next()) {}
    one.send("()", "demo.text()");
    const auto later = ends::wait_for(context, wire, ends::is_text);
    CHECK(later.source == "10.9.0.77");
    CHECK(later.text.find(own) != std::string::npos);
    CHECK(one.bus.status().host_id == "10.9.0.1");
}

TEST_CASE("an IPv6 address is used when its duplicate detection is over") {
    if (!network::fresh()) return;
    network::run("ip link add eth0 type veth peer name far0; ip link set far0 up; ip link set eth0 up");
    boost::asio::io_context context;
    ends::daemon one{context, ends::link_local(family_rule::ipv6)};
    one.start("one");
    const auto joined = [&] {
        for (const auto& link : one.bus.status().interfaces) {
            if (link.name == "eth0") return link.joined_v6;
        }
        return false;
    };
    CHECK_FALSE(joined());
    CHECK(ends::run_until(context, joined));
    CHECK(one.bus.status().send_errors == 0);
}

TEST_CASE("a new filter takes effect at once") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    boost::asio::io_context context;
    ends::daemon one{context, ends::link_local()};
    one.start("one");
    CHECK(one.bus.status().interfaces.size() == 1);
    one.bus.set_interface_filter({}, {"eth*"});
    CHECK(one.bus.status().interfaces.empty());
    CHECK(one.bus.status().skipped.size() == 2);
    one.bus.set_interface_filter({"eth0"}, {});
    CHECK(one.bus.status().interfaces.at(0).joined_v4);
}

TEST_CASE("changes that the kernel could not tell are read anew") {
    // given a daemon that does not listen while a thousand addresses come and go
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    boost::asio::io_context context;
    ends::daemon one{context, ends::link_local()};
    one.start("one");
    network::run(
        "for r in 1 2 3 4 5 6 7 8; do for i in $(seq 1 250); do echo \"address add 10.50.$r.$i/32 dev eth0\"; done; done | ip -batch -; "
        "for r in 1 2 3 4 5 6 7 8; do for i in $(seq 1 250); do echo \"address delete 10.50.$r.$i/32 dev eth0\"; done; done | ip -batch -; "
        "ip link add last0 type veth peer name last1; ip address add 10.8.0.1/24 dev last0; ip link set last1 up; ip link set last0 up");
    // then it has lost events, and knows the last change all the same
    CHECK(ends::run_until(context, [&] {
        for (const auto& link : one.bus.status().interfaces) {
            if (link.name == "last0" && link.joined_v4) return true;
        }
        return false;
    }));
    CHECK(one.bus.status().netlink_overruns > 0);
}
