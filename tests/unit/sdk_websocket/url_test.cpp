// URLs of a daemon (RFC 6455, section 3).
#include <doctest/doctest.h>

#include "url.hpp"

using mbus::errc;
using mbus::detail::websocket_url;

TEST_CASE("a URL gives host, port and target, with the defaults of its scheme and /mbws") {
    CHECK(*websocket_url::parse("ws://localhost:8407/mbws") == websocket_url{false, "localhost", 8407, "/mbws"});
    CHECK(*websocket_url::parse("wss://bus.example.org") == websocket_url{true, "bus.example.org", 443, "/mbws"});
    CHECK(*websocket_url::parse("WS://10.0.0.1/a/b?c=d") == websocket_url{false, "10.0.0.1", 80, "/a/b?c=d"});
    CHECK(*websocket_url::parse("ws://[::1]:9/") == websocket_url{false, "::1", 9, "/"});
    CHECK(*websocket_url::parse("ws://a?b") == websocket_url{false, "a", 80, "/mbws?b"});
}

TEST_CASE("the header Host has the port unless it is the scheme's own") {
    CHECK(websocket_url::parse("ws://a.example/")->authority() == "a.example");
    CHECK(websocket_url::parse("wss://a.example:80/")->authority() == "a.example:80");
    CHECK(websocket_url::parse("wss://[::1]/")->authority() == "[::1]");
    CHECK(websocket_url::parse("ws://[::1]:8407/")->authority() == "[::1]:8407");
}

TEST_CASE("what is no URL of a daemon is refused with an example") {
    for (const char* wrong : {"http://a/", "ws://", "ws:///mbws", "ws://a:0/", "ws://a:65536/", "ws://a:b/", "ws://[::1/",
                              "ws://[::1]8/", "ws://a/#b", "ws://a/b c", "ws://a/\r\nX: y", "mbws", ""}) {
        const auto parsed = websocket_url::parse(wrong);
        CAPTURE(wrong);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == errc::bad_argument);
        CHECK(parsed.error().text.find("wss://bus.example.org/mbws") != std::string::npos);
    }
}

TEST_CASE("a credential in a URL is refused and not repeated") {
    const auto parsed = websocket_url::parse("wss://me:secret@a.example/mbws");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().text.find("secret") == std::string::npos);
    CHECK(parsed.error().text.find("token_file") != std::string::npos);
}
