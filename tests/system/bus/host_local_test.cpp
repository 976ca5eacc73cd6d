#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cstring>

#include "bus/datagram_sender.hpp"
#include "bus/endpoint_socket.hpp"
#include "ends.hpp"
#include "network.hpp"

using namespace mbusd;
using namespace std::chrono_literals;
using mbus::protocol::drop_reason;

namespace {

bool is_hello(const ends::captured& one) { return one.text.find("mbus.hello()") != std::string::npos; }

int option(int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    REQUIRE(::getsockopt(fd, level, name, &value, &length) == 0);
    return value;
}

// A UDP datagram whose source address is forged, put onto the loopback interface.
void send_forged(const std::string& source, const std::string& group, std::uint16_t port,
                 std::string_view text) {
    const unique_fd raw{::socket(AF_INET, SOCK_RAW, IPPROTO_RAW)};
    REQUIRE(raw);
    std::string packet(sizeof(iphdr) + sizeof(udphdr), '\0');
    iphdr ip{};
    ip.version = 4;
    ip.ihl = 5;
    ip.ttl = 1;
    ip.protocol = IPPROTO_UDP;
    ip.saddr = to_in_addr(ip_address::parse(source).value()).s_addr;
    ip.daddr = to_in_addr(ip_address::parse(group).value()).s_addr;
    udphdr udp{};
    udp.uh_sport = htons(50001);
    udp.uh_dport = htons(port);
    udp.uh_ulen = htons(static_cast<std::uint16_t>(sizeof udp + text.size()));
    std::memcpy(packet.data(), &ip, sizeof ip);
    std::memcpy(packet.data() + sizeof ip, &udp, sizeof udp);
    packet += text;
    const ip_mreqn out{{}, {htonl(INADDR_LOOPBACK)}, 1};
    REQUIRE(::setsockopt(raw.get(), IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out) == 0);
    const auto name = make_socket_address(ip_address::parse(group).value(), 0);
    REQUIRE(::sendto(raw.get(), packet.data(), packet.size(), 0,
                     reinterpret_cast<const sockaddr*>(&name.storage), name.length) > 0);
}

}  // namespace

TEST_CASE(
    "host-local works on a bare loopback: group, port and endpoint as the RFC says (RFC 3259 s6.1, s6.1.4, s6.2) "
    "[item 48] [item 54] [item 64] [item 66]") {
    // given nothing but `lo` up, no route
    if (!network::fresh()) return;
    network::run("ip link set lo up");
    boost::asio::io_context context;
    ends::bystander wire{"239.255.255.247", "lo"};
    // when a daemon starts with an entity
    ends::daemon one{context, {}};
    const auto own = one.start("one");
    const auto hello = ends::wait_for(context, wire, is_hello);
    // then its hello goes to 239.255.255.247:47000, from 127.0.0.1 and one port that is not 47000
    CHECK(hello.destination == "239.255.255.247");
    CHECK(hello.source == "127.0.0.1");
    CHECK(hello.source_port != 47000);
    CHECK(hello.source_port == one.bus.status().endpoint_port_v4);
    CHECK(hello.ttl == 0);
    CHECK(own.find("@127.0.0.1") != std::string::npos);
    // and everything it sends later comes from there as well
    one.send("(app:nobody)", "demo.text()");
    CHECK(ends::wait_for(context, wire, [](const auto& d) {
              return d.text.find("demo.text") != std::string::npos;
          }).source_port == hello.source_port);
    CHECK(ends::run_until(context, [&] { return one.bus.status().loopback_heard; }));
}

TEST_CASE(
    "TTL and hop limit are 0 host-local and 1 link-local, loopback is on (RFC 3259 s6.1.1) [item 55] [item 56]") {
    if (!network::fresh()) return;
    network::run("ip link set lo up");
    for (const auto scope : {mbus::protocol::scope::host_local, mbus::protocol::scope::link_local}) {
        bus_options options;
        options.scope = scope;
        const int expected = scope == mbus::protocol::scope::host_local ? 0 : 1;
        const endpoint_socket v4{options, ip_family::v4};
        CHECK(option(v4.fd(), IPPROTO_IP, IP_MULTICAST_TTL) == expected);
        CHECK(option(v4.fd(), IPPROTO_IP, IP_MULTICAST_LOOP) == 1);
        CHECK(option(v4.fd(), IPPROTO_IP, IP_TTL) == 1);
        const endpoint_socket v6{options, ip_family::v6};
        CHECK(option(v6.fd(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS) == expected);
        CHECK(option(v6.fd(), IPPROTO_IPV6, IPV6_MULTICAST_LOOP) == 1);
        CHECK(option(v6.fd(), IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 1);
    }
}

TEST_CASE("host-local sends nothing on other interfaces (RFC 3259 s6.1.1) [item 55]") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    network::enter(cable.second);
    ends::bystander other_host{"239.255.255.247", "eth0"};
    network::enter(cable.first);
    ends::bystander own_host{"239.255.255.247", "lo"};
    boost::asio::io_context context;
    ends::daemon one{context, {}};
    one.start("one");
    ends::wait_for(context, own_host, is_hello);
    CHECK_FALSE(other_host.next());
    CHECK(one.bus.status().interfaces.size() == 1);
}

TEST_CASE("two daemons and other programs share the port, and all hear everything") {
    // given programs that set SO_REUSEADDR alone, or SO_REUSEPORT too
    if (!network::fresh()) return;
    network::run("ip link set lo up");
    boost::asio::io_context context;
    ends::bystander plain{"239.255.255.247", "lo", 47000, false};
    ends::daemon one{context, {}};
    ends::daemon two{context, {}};
    ends::bystander sharing{"239.255.255.247", "lo", 47000, true};
    one.start("one");
    const auto address = two.start("two");
    // then the daemons meet
    CHECK(ends::run_until(context, [&] { return one.peers() == 1 && two.peers() == 1; }));
    // and a message reaches the other daemon and both bystanders
    one.send("(app:two)", "demo.text(1)");
    const auto is_text = [](const auto& d) { return d.text.find("demo.text") != std::string::npos; };
    ends::wait_for(context, plain, is_text);
    ends::wait_for(context, sharing, is_text);
    CHECK(ends::run_until(context, [&] { return two.delivered.size() == 1; }));
    CHECK(two.delivered.at(0).starts_with("demo.text(1)"));
    // and a reliable one is acknowledged, by directed unicast to its endpoint
    one.send(address, "demo.text(2)", true);
    CHECK(ends::run_until(context, [&] { return one.reports.size() == 1; }));
    CHECK(one.reports.at(0).acknowledged);
    CHECK(one.bus.node().counters().unicast_out > 0);
}

TEST_CASE("a target that is not fully qualified is reached by multicast (RFC 3259 s6) [item 49]") {
    if (!network::fresh()) return;
    network::run("ip link set lo up");
    boost::asio::io_context context;
    ends::bystander wire{"239.255.255.247", "lo"};
    ends::daemon one{context, {}};
    ends::daemon two{context, {}};
    one.start("one");
    two.start("two");
    REQUIRE(ends::run_until(context, [&] { return one.peers() == 1; }));
    one.send("(app:two)", "demo.subset()");
    const auto seen = ends::wait_for(
        context, wire, [](const auto& d) { return d.text.find("demo.subset") != std::string::npos; });
    CHECK(seen.destination == "239.255.255.247");
    CHECK(ends::run_until(context, [&] { return two.delivered.size() == 1; }));
}

TEST_CASE("host-local drops what does not come from this host (trap T6)") {
    if (!network::fresh()) return;
    network::run("ip link set lo up");
    // Let the kernel pass the forged source, so that the daemon's own check is what holds.
    network::run(
        "echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter; echo 0 > /proc/sys/net/ipv4/conf/lo/rp_filter; "
        "ip route add 10.66.0.0/24 dev lo scope link");
    boost::asio::io_context context;
    ends::daemon one{context, {}};
    one.start("one");
    send_forged("10.66.0.9", "239.255.255.247", 47000, "0123456789abcdef\r\nmbus/1.0");
    CHECK(ends::run_until(context, [&] { return one.drops(drop_reason::not_local_host) == 1; }));
    CHECK(one.drops(drop_reason::bad_mac) == 0);
}

TEST_CASE("a datagram of another key or of nonsense is counted, and nothing else") {
    if (!network::fresh()) return;
    network::run("ip link set lo up");
    boost::asio::io_context context;
    ends::bystander wire{"239.255.255.247", "lo"};
    ends::daemon one{context, {}};
    one.start("one");
    wire.send("short", "239.255.255.247", 47000);
    wire.send("0123456789abcdef\r\nmbus/1.0 0 0 U (id:1-1@h) () ()\r\nmbus.hello()", "239.255.255.247",
              47000);
    wire.send(std::string(60000, 'x'), "239.255.255.247", 47000);
    CHECK(ends::run_until(context, [&] {
        return one.drops(drop_reason::too_short) == 1 && one.drops(drop_reason::bad_mac) == 1 &&
               one.drops(drop_reason::bad_mac_line) == 1;
    }));
    CHECK(one.peers() == 0);
}

TEST_CASE(
    "host-local IPv6 is off, with the reason, until the loopback has a route (RFC 3259 s6.1.2) [item 58]") {
    if (!network::fresh()) return;
    network::run("ip link set lo up");
    boost::asio::io_context context;
    {
        ends::daemon one{context, {}};
        one.start("one");
        const auto status = one.bus.status();
        REQUIRE(status.notes.size() == 1);
        CHECK(status.notes[0].find("ip -6 route add local ff00::/8 dev lo table local") != std::string::npos);
        CHECK_FALSE(status.interfaces.at(0).joined_v6);
        CHECK_FALSE(one.logged("warning"));
        CHECK(status.send_errors == 0);
    }
    network::run("ip -6 route add local ff00::/8 dev lo table local");
    ends::bystander wire{"ff01::300", "lo"};
    ends::daemon two{context, {}};
    two.start("two");
    const auto hello = ends::wait_for(context, wire, is_hello);
    CHECK(hello.destination == "ff01::300");
    CHECK(hello.source == "::1");
    CHECK(hello.ttl == 0);
    CHECK(two.bus.status().notes.empty());
}

TEST_CASE("the same message carries host-local sessions over IPv6 alone (RFC 3259 s6) [item 47]") {
    if (!network::fresh()) return;
    network::run("ip link set lo up; ip -6 route add local ff00::/8 dev lo table local");
    boost::asio::io_context context;
    bus_options options;
    options.families = family_rule::ipv6;
    ends::daemon one{context, options};
    ends::daemon two{context, options};
    one.start("one");
    two.start("two");
    REQUIRE(ends::run_until(context, [&] { return one.peers() == 1 && two.peers() == 1; }));
    one.send("(app:two)", "demo.text()");
    CHECK(ends::run_until(context, [&] { return two.delivered.size() == 1; }));
    CHECK(one.bus.status().group_v4.empty());
}

TEST_CASE("without entities and traffic the loop does not wake up") {
    if (!network::fresh()) return;
    network::run("ip link set lo up");
    boost::asio::io_context context;
    ends::daemon one{context, {}};
    one.bus.start();
    context.run_for(50ms);
    context.restart();
    CHECK(context.run_for(500ms) == 0);
}

TEST_CASE("own datagrams that come back wake nobody and cost no MAC, and others are heard beside them") {
    // given a daemon that has heard itself once
    if (!network::fresh()) return;
    network::run("ip link set lo up");
    boost::asio::io_context context;
    ends::daemon one{context, {}};
    ends::daemon two{context, {}};
    one.start("one");
    two.start("two");
    REQUIRE(ends::meet(context, one, two));
    REQUIRE(ends::run_until(context, [&] { return one.bus.status().loopback_heard; }));
    using mbus::protocol::drop_reason;
    const auto echoes = one.drops(drop_reason::own_echo);
    const auto datagrams = one.bus.node().counters().datagrams_in;
    // when both send
    for (int i = 0; i < 20; ++i) {
        one.send("(app:two)", "demo.text(" + std::to_string(i) + ")");
        two.send("(app:one)", "demo.text(" + std::to_string(i) + ")");
        ends::run_until(context, [&] { return two.delivered.size() == std::size_t(i) + 1; });
    }
    REQUIRE(ends::run_until(context, [&] { return one.delivered.size() == 20 && two.delivered.size() == 20; }));
    // then the engine has seen what the other one sent, and no more
    CHECK(one.drops(drop_reason::own_echo) >= echoes + 20);
    const auto others = one.bus.node().counters().datagrams_in - datagrams;
    CHECK(others >= 20);
    CHECK(others < 40);
}

TEST_CASE("a send error on one link is counted there; the other links get the datagram") {
    // given a link that does not exist beside one that does
    if (!network::fresh()) return;
    network::run("ip link set lo up");
    boost::asio::io_context context;
    ends::bystander wire{"239.255.255.247", "lo"};
    const endpoint_socket out{bus_options{}, ip_family::v4};
    std::vector<int> errors;
    datagram_sender sender{47000,
                           true,
                           {.needs_other = [](auto) { return false; },
                            .on_error = [&](const group_target*, int error) { errors.push_back(error); },
                            .on_oversized = [](const auto&, auto) {},
                            .on_runs_refused = [](auto, auto) {}}};
    sender.set_sockets(out.fd(), -1);
    group_target good{.interface_index = 1,
                      .name = "lo",
                      .family = ip_family::v4,
                      .destination = ip_address::parse("239.255.255.247").value(),
                      .source = ip_address::parse("127.0.0.1").value(),
                      .payload_max = 1472,
                      .presence_only = false};
    auto bad = good;
    bad.interface_index = 99;
    sender.set_targets({bad, good});
    // when a hundred datagrams are sent, and one beyond the link's packets
    const std::string large(2000, 'y');
    std::vector<mbus::protocol::outgoing> waiting(
        100, {.datagram = "x", .group = true, .presence = false, .to = {}});
    waiting.back().datagram = large;
    CHECK(sender.send(waiting, {}) == 100);
    // then
    CHECK(errors.size() == 100);
    CHECK(sender.counts().at(99).errors == 100);
    CHECK(sender.counts().at(1).datagrams == 100);
    CHECK(sender.counts().at(1).oversized == 1);
    for (int i = 0; i < 99; ++i) REQUIRE(wire.next().value().text == "x");
    CHECK(wire.next().value().text == large);
}
