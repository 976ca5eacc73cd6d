#include "bus/interface_rules.hpp"

#include <doctest/doctest.h>

#include "netlink_text.hpp"

using namespace mbusd;
using namespace netlink_text;
using mbus::protocol::scope;

namespace {

ip_address ip(const std::string& text) { return ip_address::parse(text).value(); }

std::uint64_t no_random() {
    FAIL("nothing random is needed here");
    return 0;
}

bus_options link_local() {
    bus_options options;
    options.scope = scope::link_local;
    return options;
}

// A host with a loopback, a card with both families, and a card with IPv6 only.
interface_table usual_host() {
    interface_table table;
    table.apply(loopback() + new_address(1, "127.0.0.1", {.scope = RT_SCOPE_HOST, .prefix = 8}) +
                new_address(1, "::1", {.prefix = 128}) + new_link(2, "eth0") +
                new_address(2, "192.168.1.5", {.broadcast = "192.168.1.255"}) +
                new_address(2, "2001:db8::5") + new_address(2, "fe80::2a0:c9ff:fe12:3456") +
                new_link(3, "wlan0", IFF_UP | IFF_MULTICAST | IFF_RUNNING, 1280) + new_address(3, "fe80::3"));
    return table;
}

std::vector<std::string> names(const link_choice& choice) {
    std::vector<std::string> made;
    for (const auto& link : choice.links) made.push_back(link.name);
    return made;
}

std::string why_skipped(const link_choice& choice, const std::string& name) {
    for (const auto& skipped : choice.skipped) {
        if (skipped.name == name) return skipped.reason;
    }
    return "";
}

using list = std::vector<std::string>;

}  // namespace

TEST_CASE("host-local scope uses the loopback interface alone (RFC 3259 s6.1) [item 53]") {
    const auto choice = choose_links(usual_host(), bus_options{});
    REQUIRE(names(choice) == list{"lo"});
    CHECK(choice.links[0].source_v4 == ip("127.0.0.1"));
    CHECK(choice.links[0].source_v6 == ip("::1"));
}

TEST_CASE(
    "link-local scope uses every card, by its first address of each family (RFC 3259 s6.1) [item 53] [item 60]") {
    const auto choice = choose_links(usual_host(), link_local());
    REQUIRE(names(choice) == list{"eth0", "wlan0"});
    CHECK(choice.links[0].source_v4 == ip("192.168.1.5"));
    CHECK(choice.links[0].source_v6 == ip("fe80::2a0:c9ff:fe12:3456"));
    CHECK_FALSE(choice.links[1].source_v4);
}

TEST_CASE("families leave out what is not wanted (RFC 3259 s6) [item 47]") {
    auto options = link_local();
    options.families = family_rule::ipv4;
    CHECK(names(choose_links(usual_host(), options)) == list{"eth0"});
    CHECK_FALSE(choose_links(usual_host(), options).links[0].source_v6);
    options.families = family_rule::ipv6;
    CHECK(names(choose_links(usual_host(), options)) == list{"eth0", "wlan0"});
    CHECK_FALSE(choose_links(usual_host(), options).links[0].source_v4);
}

TEST_CASE("interfaces that can't carry the bus are left out, with the reason") {
    auto table = usual_host();
    table.apply(
        new_link(4, "tun0", IFF_UP | IFF_POINTOPOINT | IFF_MULTICAST) + new_address(4, "10.8.0.1") +
        new_link(5, "wg0", IFF_UP | IFF_POINTOPOINT | IFF_NOARP) + new_address(5, "10.9.0.1") +
        new_link(6, "eth1", IFF_BROADCAST | IFF_MULTICAST) + new_address(6, "10.1.0.1") +
        new_link(7, "port0", IFF_UP | IFF_MULTICAST, 1500, slave_of("bridge")) + new_address(7, "fe80::7") +
        new_link(8, "eth2") + new_address(8, "fe80::8", {.flags = IFA_F_TENTATIVE}) +
        new_link(9, "vrf-eth", IFF_UP | IFF_MULTICAST, 1500, slave_of("vrf")) + new_address(9, "10.2.0.1"));
    const auto choice = choose_links(table, link_local());
    CHECK(names(choice) == list{"eth0", "wlan0", "vrf-eth"});
    CHECK(why_skipped(choice, "tun0").starts_with("point-to-point"));
    CHECK(why_skipped(choice, "wg0") == "cannot multicast");
    CHECK(why_skipped(choice, "port0") == "part of a bridge or bond");
    CHECK(why_skipped(choice, "eth2") == "no usable address yet");
    CHECK(why_skipped(choice, "eth1").empty());  // down: not worth a word
}

TEST_CASE("globs allow and deny; deny wins; a named point-to-point interface is used") {
    auto table = usual_host();
    table.apply(new_link(4, "tun0", IFF_UP | IFF_POINTOPOINT | IFF_MULTICAST) + new_address(4, "10.8.0.1"));
    auto options = link_local();
    options.deny = {"wl*"};
    CHECK(names(choose_links(table, options)) == list{"eth0"});
    options.allow = {"tun?", "wlan0"};
    CHECK(names(choose_links(table, options)) == list{"tun0"});
    options.deny.clear();
    options.allow = {"eth[0-9]"};
    CHECK(names(choose_links(table, options)) == list{"eth0"});
    // HOSTLOCAL is the loopback interface, whatever the globs say
    options.scope = scope::host_local;
    CHECK(names(choose_links(table, options)) == list{"lo"});
}

TEST_CASE("broadcast goes to the network's own broadcast address (RFC 3259 s6.1.3) [item 61]") {
    auto options = link_local();
    options.broadcast = true;
    auto table = usual_host();
    table.apply(new_link(4, "eth9", IFF_UP | IFF_BROADCAST) +
                new_address(4, "10.3.0.1", {.broadcast = "10.3.255.255"}) + new_link(5, "eth8") +
                new_address(5, "10.4.0.1", {.prefix = 32}));  // has no broadcast address
    const auto choice = choose_links(table, options);
    CHECK(names(choice) == list{"eth0", "wlan0", "eth9"});
    CHECK(choice.links[0].broadcast_v4 == ip("192.168.1.255"));
    CHECK(choice.links[2].broadcast_v4 == ip("10.3.255.255"));
}

TEST_CASE("a network that was told no broadcast address has its last one (RFC 3259 s6.1.3) [item 61]") {
    auto options = link_local();
    options.broadcast = true;
    interface_table table;
    table.apply(new_link(2, "eth0") + new_address(2, "10.5.1.1", {.prefix = 20}) + new_link(3, "eth1") +
                new_address(3, "10.9.0.1") + new_link(4, "eth2") + new_address(4, "10.6.0.2", {.prefix = 31}));
    const auto choice = choose_links(table, options);
    REQUIRE(names(choice) == list{"eth0", "eth1"});
    CHECK(choice.links[0].broadcast_v4 == ip("10.5.15.255"));
    CHECK(choice.links[1].broadcast_v4 == ip("10.9.0.255"));
}

TEST_CASE(
    "host-local broadcast goes to 127.255.255.255, since TTL 0 is refused (RFC 3259 s6.1.3, trap T6) [item 62]") {
    bus_options options;
    options.broadcast = true;
    const auto choice = choose_links(usual_host(), options);
    REQUIRE(choice.links.size() == 1);
    CHECK(choice.links[0].broadcast_v4 == ip("127.255.255.255"));
}

TEST_CASE("the host-ID is 127.0.0.1 for a host-local session (RFC 3259 s4.1, trap A6) [item 27]") {
    CHECK(choose_host_id(choose_links(usual_host(), bus_options{}).links, bus_options{}, no_random) ==
          "127.0.0.1");
}

TEST_CASE("the host-ID is the IPv4 address of the sending interface (RFC 3259 s4.1) [item 27]") {
    CHECK(choose_host_id(choose_links(usual_host(), link_local()).links, link_local(), no_random) ==
          "192.168.1.5");
}

TEST_CASE(
    "the host-ID is the interface-ID of the link-local address on IPv6 (RFC 3259 s4.1, trap A4) [item 28]") {
    auto options = link_local();
    options.families = family_rule::ipv6;
    CHECK(choose_host_id(choose_links(usual_host(), options).links, options, no_random) ==
          "2a0:c9ff:fe12:3456");
    SUBCASE("also when there is no IPv4 address") {
        options = link_local();
        auto table = usual_host();
        table.apply(address(RTM_DELADDR, 2, "192.168.1.5"));
        CHECK(choose_host_id(choose_links(table, options).links, options, no_random) == "2a0:c9ff:fe12:3456");
    }
}

TEST_CASE(
    "the interface-ID names the host before duplicate detection has ended, but nothing is sent from it [item 28]") {
    interface_table table;
    table.apply(new_link(2, "eth0") + new_address(2, "fe80::2a0:c9ff:fe12:3456", {.flags = IFA_F_TENTATIVE}));
    CHECK(choose_links(table, link_local()).links.empty());
    CHECK(choose_host_id(choose_links(table, link_local(), address_use::naming).links, link_local(),
                         no_random) == "2a0:c9ff:fe12:3456");
}

TEST_CASE("groups of the interface-ID have no leading zeros, and are all written (trap A4) [item 28]") {
    CHECK(interface_id_text(ip("fe80::3")) == "0:0:0:3");
    CHECK(interface_id_text(ip("fe80::0A00:27FF:fe0e:00b1")) == "a00:27ff:fe0e:b1");
}

TEST_CASE("without any address the host-ID is four random groups") {
    const auto random = [] { return std::uint64_t{0x8877665544332211}; };
    CHECK(choose_host_id({}, link_local(), random) == "1122:3344:5566:7788");
}

TEST_CASE("the primary interface has carrier, and IPv4 before IPv6") {
    interface_table table;
    table.apply(new_link(2, "eth0", IFF_UP | IFF_MULTICAST) + new_address(2, "10.0.0.2") +
                new_link(3, "eth1") + new_address(3, "10.0.0.3") + new_link(4, "eth2") +
                new_address(4, "fe80::4"));
    const auto choice = choose_links(table, link_local());
    REQUIRE(choice.links.size() == 3);
    CHECK(primary_link(choice.links, link_local())->name == "eth1");
    CHECK(primary_link({}, link_local()) == nullptr);
}

TEST_CASE("what fits into a packet is the MTU less the headers, at most what UDP carries") {
    const auto choice = choose_links(usual_host(), link_local());
    CHECK(payload_octets(choice.links[0], ip_family::v4) == 1472);
    CHECK(payload_octets(choice.links[1], ip_family::v6) == 1232);
    CHECK(payload_octets(choose_links(usual_host(), bus_options{}).links[0], ip_family::v4) == 65507);
}
