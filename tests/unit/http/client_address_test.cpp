#include <doctest/doctest.h>

#include "http/client_address.hpp"

using namespace mbusd;

namespace {

bool within(std::string_view prefix, std::string_view address) {
    return address_prefix::parse(prefix).value().contains(client_address::parse(address).value());
}

}  // namespace

TEST_CASE("addresses are read and written") {
    CHECK(client_address::parse("10.0.0.1").value().text() == "10.0.0.1");
    CHECK(client_address::parse("[::1]").value().text() == "::1");
    CHECK(client_address::parse("::ffff:10.0.0.1").value() == client_address::parse("10.0.0.1").value());
    CHECK_FALSE(client_address::parse("10.0.0"));
    CHECK_FALSE(client_address::parse(""));
    CHECK_FALSE(client_address::parse("example.org"));
}

TEST_CASE("prefixes contain addresses of their family, to the bit") {
    CHECK(within("10.0.0.0/8", "10.255.0.1"));
    CHECK_FALSE(within("10.0.0.0/8", "11.0.0.1"));
    CHECK(within("192.168.1.128/25", "192.168.1.200"));
    CHECK_FALSE(within("192.168.1.128/25", "192.168.1.100"));
    CHECK(within("fd00::/8", "fdff::1"));
    CHECK_FALSE(within("fd00::/8", "fe80::1"));
    CHECK(within("0.0.0.0/0", "1.2.3.4"));
    CHECK_FALSE(within("0.0.0.0/0", "2001:db8::1"));
    CHECK(within("127.0.0.1", "127.0.0.1"));
    CHECK_FALSE(within("127.0.0.1", "127.0.0.2"));
    CHECK_FALSE(address_prefix::parse("10.0.0.0/33"));
    CHECK_FALSE(address_prefix::parse("10.0.0.0/"));
    CHECK_FALSE(address_prefix::parse("10.0.0.0/x"));
}

TEST_CASE("an IPv6 subscriber has 64 bits, an IPv4 one an address") {
    const auto of = [](std::string_view text) { return client_address::parse(text).value().subscriber().text(); };
    CHECK(of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::");
    CHECK(of("192.0.2.7") == "192.0.2.7");
    CHECK(of("::1") == "::1");
}

TEST_CASE("this machine knows its own addresses") {
    CHECK(is_local_address(client_address::parse("127.0.0.1").value()));
    CHECK(is_local_address(client_address::parse("127.1.2.3").value()));
    CHECK(is_local_address(client_address::parse("::1").value()));
    CHECK_FALSE(is_local_address(client_address::parse("192.0.2.77").value()));
}
