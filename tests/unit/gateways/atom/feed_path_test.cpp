// Paths of feeds and entries.
#include <doctest/doctest.h>

#include "gateways/atom/entity_tag.hpp"
#include "gateways/atom/feed_path.hpp"

using mbusd::feed_path;

TEST_CASE("paths name the service, a feed or an entry") {
    CHECK(feed_path::parse("/atom/")->node.empty());
    CHECK(feed_path::parse("/atom/news")->node == "news");
    CHECK(feed_path::parse("/atom/news/")->item.empty());
    CHECK(feed_path::parse("/atom/news/i1")->item == "i1");
}

TEST_CASE("odd ids come through, percent-encoded") {
    for (const char* id : {"a/b", "a b", "<\"&'>", "\xC3\xA4\xF0\x9F\x98\x80", "100%", "?#;"}) {
        const feed_path path{id, id};
        const auto again = feed_path::parse(path.text());
        REQUIRE(again);
        CHECK(again->node == id);
        CHECK(again->item == id);
    }
    CHECK(feed_path{"a/b", "i 1"}.xmpp_uri("bus.example") == "xmpp:pubsub.bus.example?;node=a%2Fb;item=i%201");
}

TEST_CASE("what can't be an id names nothing") {
    for (const char* path : {"/atom/a/b/c", "/atom//i", "/atom/%00", "/atom/%FF", "/atom/a%0Ab", "/other/a", "/atom/%zz"}) {
        CAPTURE(path);
        CHECK_FALSE(feed_path::parse(path));
    }
}

TEST_CASE("tags are compared strongly for If-Match and weakly for If-None-Match (RFC 9110 s8.8.3.2)") {
    CHECK(mbusd::lists_tag("\"a\", \"b\"", "\"b\"", false));
    CHECK(mbusd::lists_tag("*", "\"b\"", false));
    CHECK_FALSE(mbusd::lists_tag("W/\"b\"", "\"b\"", false));
    CHECK(mbusd::lists_tag("W/\"b\"", "\"b\"", true));
    CHECK_FALSE(mbusd::lists_tag("\"a\"", "\"b\"", true));
}
