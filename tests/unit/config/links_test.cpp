// [[link]] of mbusd.toml (docs/links.md).
#include "config/links.hpp"

#include <doctest/doctest.h>

#include <string>

#include "config/config_file.hpp"

namespace {

mbusd::config_reading read(std::string_view text) {
    mbusd::config_reading out;
    mbusd::read_config_text(out, text, "mbusd.toml");
    return out;
}

// All problems of the text, one after the other.
std::string problems(std::string_view text) {
    std::string out;
    for (const auto& each : read(text).problems) out += each.text + '\n';
    return out;
}

}  // namespace

TEST_CASE("a link entry is read with its patterns; without them everything takes part") {
    const auto reading = read(R"toml(
[[link]]
name = "left"
url = "wss://left.example.org:8443"
token_file = "/etc/mbusd/left.token"
send = ["(app:player)"]
transit = true
[[link]]
name = "right"
)toml");
    REQUIRE(reading.problems.empty());
    const auto& links = reading.values.links;
    REQUIRE(links.size() == 2);
    CHECK(links[0].calls());
    CHECK(links[0].send.at(0).text() == "(app:player)");
    CHECK(links[0].receive.at(0).text() == "()");
    CHECK(links[0].transit);
    CHECK_FALSE(links[1].calls());
    CHECK_FALSE(links[1].transit);
}

TEST_CASE("a link entry that can't work is refused, with what to do") {
    CHECK(problems("[[link]]\nurl = \"wss://a\"\n").find("needs a name") != std::string::npos);
    CHECK(problems("[[link]]\nname = \"a\"\nurl = \"wss://a\"\n").find("mbus client add NAME --link") != std::string::npos);
    CHECK(problems("[[link]]\nname = \"a\"\nurl = \"http://a\"\ntoken_file = \"/t\"\n").find("wss://HOST") != std::string::npos);
    CHECK(problems("[[link]]\nname = \"a\"\ntoken_file = \"/t\"\n").find("add url") != std::string::npos);
    CHECK(problems("[[link]]\nname = \"a\"\n[[link]]\nname = \"a\"\n").find("two links with the name 'a'") != std::string::npos);
    CHECK(problems("[[link]]\nname = \"a\"\nsned = []\n").find("did you mean 'send'") != std::string::npos);
    CHECK(problems("[link]\nname = \"a\"\n").find("[[link]]") != std::string::npos);
}

TEST_CASE("the URL of a link is taken apart") {
    const auto plain = mbusd::parse_link_url("ws://left");
    REQUIRE(plain);
    CHECK_FALSE(plain->encrypted);
    CHECK(plain->port == 80);
    CHECK(plain->path == "/mbws");
    CHECK(plain->authority() == "left");
    const auto full = mbusd::parse_link_url("wss://[fe80::1]:8443/bus/mbws");
    REQUIRE(full);
    CHECK(full->encrypted);
    CHECK(full->host == "fe80::1");
    CHECK(full->port == 8443);
    CHECK(full->path == "/bus/mbws");
    CHECK(full->authority() == "[fe80::1]:8443");
    for (const auto* wrong : {"", "left", "http://left", "wss://", "wss://left:0", "wss://left:65536", "wss://left:", "wss://u@left", "wss://[::1"}) {
        CAPTURE(wrong);
        CHECK_FALSE(mbusd::parse_link_url(wrong).has_value());
    }
}
