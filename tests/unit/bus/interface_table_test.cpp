#include "bus/interface_table.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "netlink_text.hpp"

using namespace mbusd;
using namespace netlink_text;

namespace {

ip_address ip(const std::string& text) { return ip_address::parse(text).value(); }

interface_table table_of(const octets& messages) {
    interface_table table;
    table.apply(messages);
    return table;
}

}  // namespace

TEST_CASE("a dump of links and addresses fills the table") {
    const auto table = table_of(loopback() + new_link(2, "eth0") +
                                new_address(1, "127.0.0.1", {.scope = RT_SCOPE_HOST, .prefix = 8}) +
                                new_address(2, "192.168.1.5", {.broadcast = "192.168.1.255"}) +
                                new_address(2, "fe80::5", {.scope = RT_SCOPE_LINK, .prefix = 64}));
    const auto* card = table.find(2);
    REQUIRE(card != nullptr);
    CHECK(card->name == "eth0");
    CHECK(card->mtu == 1500);
    CHECK(card->has(IFF_MULTICAST));
    REQUIRE(card->addresses.size() == 2);
    CHECK(card->addresses[0].address == ip("192.168.1.5"));
    CHECK(card->addresses[0].broadcast == ip("192.168.1.255"));
    CHECK(table.find(1)->addresses.at(0).host_scope);
}

TEST_CASE("an event changes the table once; the same event again changes nothing") {
    auto table = table_of(new_link(2, "eth0"));
    CHECK(table.apply(new_address(2, "10.0.0.1")));
    CHECK_FALSE(table.apply(new_address(2, "10.0.0.1")));
    CHECK_FALSE(table.apply(new_link(2, "eth0")));
    CHECK(table.apply(new_link(2, "eth0", IFF_BROADCAST | IFF_MULTICAST)));
    CHECK_FALSE(table.find(2)->has(IFF_UP));
    CHECK(table.find(2)->addresses.size() == 1);
}

TEST_CASE("an address is usable when its duplicate detection has ended well") {
    auto table = table_of(new_link(2, "eth0"));
    table.apply(new_address(2, "fe80::5", {.flags = IFA_F_TENTATIVE}));
    CHECK(table.find(2)->addresses.at(0).tentative);
    SUBCASE("ended well") {
        CHECK(table.apply(new_address(2, "fe80::5", {.flags = IFA_F_PERMANENT})));
        CHECK_FALSE(table.find(2)->addresses.at(0).tentative);
    }
    SUBCASE("somebody else has it") {
        table.apply(new_address(2, "fe80::5", {.flags = IFA_F_PERMANENT | IFA_F_DADFAILED}));
        CHECK(table.find(2)->addresses.at(0).duplicate);
    }
}

TEST_CASE("addresses and links go, and a rename is followed") {
    auto table = table_of(new_link(2, "eth0") + new_address(2, "10.0.0.1") +
                          new_address(2, "10.0.0.2", {.flags = IFA_F_SECONDARY}));
    CHECK(table.find(2)->addresses.at(1).secondary);
    CHECK(table.apply(address(RTM_DELADDR, 2, "10.0.0.1")));
    CHECK_FALSE(table.apply(address(RTM_DELADDR, 2, "10.0.0.1")));
    CHECK(table.find(2)->addresses.size() == 1);
    CHECK(table.apply(new_link(2, "lan0")));
    CHECK(table.find(2)->name == "lan0");
    CHECK(table.apply(link(RTM_DELLINK, 2, "lan0", 0)));
    CHECK(table.find(2) == nullptr);
}

TEST_CASE("leaving a bridge is not leaving the host") {
    auto table = table_of(new_link(2, "eth0"));
    CHECK_FALSE(table.apply(link(RTM_DELLINK, 2, "eth0", 0, 1500, {}, AF_BRIDGE)));
    CHECK(table.find(2) != nullptr);
}

TEST_CASE("the table knows who owns an interface") {
    auto table = table_of(new_link(2, "eth0", IFF_UP, 1500, slave_of("bridge")));
    CHECK(table.find(2)->slave_kind == "bridge");
    CHECK(table.apply(new_link(2, "eth0", IFF_UP)));
    CHECK(table.find(2)->slave_kind.empty());
}

TEST_CASE("an address of this host is local, another is not") {
    const auto table = table_of(new_link(2, "eth0") + new_address(2, "10.0.0.1") + new_address(2, "fe80::5"));
    CHECK(table.is_local(ip("10.0.0.1")));
    CHECK(table.is_local(ip("fe80::5")));
    CHECK(table.is_local(ip("127.1.2.3")));
    CHECK(table.is_local(ip("::1")));
    CHECK_FALSE(table.is_local(ip("10.0.0.2")));
}

TEST_CASE("addresses of unknown interfaces and foreign messages are skipped") {
    interface_table table;
    CHECK_FALSE(table.apply(new_address(9, "10.0.0.1")));
    CHECK_FALSE(table.apply(message(RTM_NEWROUTE, rtmsg{}, {})));
}

TEST_CASE("no octets crash the table (property)") {
    CHECK(rc::check("any octets, and any cut of a good dump, are survived", [] {
        auto table = table_of(new_link(2, "eth0"));
        const auto noise = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
        table.apply(std::as_bytes(std::span{noise}));
        auto dump = new_link(3, "eth1", IFF_UP, 1500, slave_of("bond")) + new_address(3, "10.0.0.1") +
                    new_address(3, "fe80::1");
        const auto size = *rc::gen::inRange<std::size_t>(0, dump.size() + 1);
        table.apply(std::span{dump}.first(size));
        const auto at = *rc::gen::inRange<std::size_t>(0, dump.size());
        dump[at] = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
        table.apply(dump);
    }));
}
