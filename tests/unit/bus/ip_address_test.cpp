#include "bus/ip_address.hpp"

#include <doctest/doctest.h>

using namespace mbusd;

TEST_CASE("addresses of both families are read and written") {
    for (const std::string text : {"192.168.1.1", "0.0.0.0", "ff02::300", "fe80::1", "::1"}) {
        const auto address = ip_address::parse(text);
        REQUIRE(address);
        CHECK(to_string(*address) == text);
    }
    for (const std::string text : {"", "1.2.3", "1.2.3.4.5", "fe80::1%eth0", "host", "300.1.1.1"})
        CHECK_FALSE(ip_address::parse(text));
}

TEST_CASE("addresses know what they are for") {
    const auto ip = [](const char* text) { return ip_address::parse(text).value(); };
    CHECK(ip("127.9.9.9").is_loopback());
    CHECK(ip("::1").is_loopback());
    CHECK_FALSE(ip("10.0.0.1").is_loopback());
    CHECK(ip("239.255.255.247").is_multicast());
    CHECK(ip("ff02::300").is_multicast());
    CHECK_FALSE(ip("255.255.255.255").is_multicast());
    CHECK(ip("169.254.1.1").is_link_local());
    CHECK(ip("febf::1").is_link_local());
    CHECK_FALSE(ip("fec0::1").is_link_local());
    CHECK(ip("0.0.0.0").is_unspecified());
}

TEST_CASE("a socket address carries address, port and IPv6 scope both ways") {
    const auto v6 = to_endpoint(make_socket_address(ip_address::parse("fe80::1").value(), 47000, 7).storage);
    REQUIRE(v6);
    CHECK(v6->port == 47000);
    CHECK(v6->interface_index == 7);
    CHECK(to_string(address_of(*v6)) == "fe80::1");
    const auto v4 = to_endpoint(make_socket_address(ip_address::parse("10.0.0.1").value(), 50001).storage);
    REQUIRE(v4);
    CHECK(v4->family == ip_family::v4);
    CHECK(v4->port == 50001);
    sockaddr_storage other{};
    other.ss_family = AF_UNIX;
    CHECK_FALSE(to_endpoint(other));
}
