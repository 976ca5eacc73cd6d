// Where nodes are on the bus.
#include <doctest/doctest.h>

#include "feeds/feed_address.hpp"

using mbusd::feed_address;
using mbusd::feed_value;

TEST_CASE("a node's id is the value of feed:, other octets are escaped") {
    CHECK(feed_address("news").text() == "(feed:news)");
    CHECK(feed_value("a b") == "a%20b");
    CHECK(feed_value("(a)%") == "%28a%29%25");
    CHECK(feed_value("\xC3\xA4") == "%C3%A4");
    CHECK(feed_value("urn:xmpp:microblog:0") == "urn:xmpp:microblog:0");
}

TEST_CASE("long ids are cut, and stay different") {
    const std::string one(100, 'a');
    const auto value = feed_value(one + "1");
    CHECK(value.size() == 64);
    CHECK(value.starts_with(std::string(47, 'a') + "~"));
    CHECK(value != feed_value(one + "2"));
    CHECK(feed_value(std::string(64, 'a')) == std::string(64, 'a'));
    CHECK(feed_address(one).size() == 1);
}

TEST_CASE("names become the local parts of JIDs (XEP-0106)") {
    CHECK(mbusd::jid_local_part("Ann") == "ann");
    CHECK(mbusd::jid_local_part("a b@c") == "a\\20b\\40c");
}
