#include <doctest/doctest.h>

#include "protocol/entity_id.hpp"

using namespace mbus::protocol;

TEST_CASE("an id is entity-id @ host-id (RFC 3259 s4.1) [item 26] [item 30]") {
    CHECK(is_entity_id("4711-99@192.168.1.1"));
    CHECK(is_entity_id("0-0@127.0.0.1"));
    CHECK(is_entity_id("4294967295-99999@10.0.0.1"));
    CHECK(make_entity_id(4711, 99, "192.168.1.1") == "4711-99@192.168.1.1");
    for (const char* bad : {"", "4711-99", "4711@192.168.1.1", "4711-99@", "-1@10.0.0.1", "1-@10.0.0.1",
                            "12345678901-1@10.0.0.1", "1-123456@10.0.0.1", "1-1-1@10.0.0.1", "a-1@10.0.0.1",
                            "1-1@10.0.0", "1-1@10.0.0.1.2", "1-1@host", "1-1@1234.0.0.1"})
        CHECK_FALSE_MESSAGE(is_entity_id(bad), bad);
}

TEST_CASE("a host-id may be the interface-ID half of an IPv6 address, or any form of RFC 2373 (trap A4)") {
    for (const char* good : {"2a0:c9ff:fe12:3456", "fe80::1", "::1", "::", "1::", "2001:db8:0:0:0:0:0:1",
                             "::ffff:10.0.0.1", "0:0:0:0:0:ffff:10.0.0.1", "FE80::A", "::10.0.0.1"})
        CHECK_MESSAGE(is_host_id(good), good);
    for (const char* bad : {"", ":", ":::", "1:", "12345::1", "g::1", "1::2::3", "fe80::1%eth0", "1:10.0.0"})
        CHECK_FALSE_MESSAGE(is_host_id(bad), bad);
}
