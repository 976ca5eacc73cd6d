// UTF-8 in pieces (RFC 6455, section 8.1).
#include <doctest/doctest.h>

#include <string>

#include "websocket/utf8_stream.hpp"

namespace mbus::websocket {
namespace {

// How many octets pass, fed one by one, until the stream says no.
std::size_t good_octets(std::string_view text) {
    utf8_stream check;
    std::size_t at = 0;
    while (at < text.size() && check.feed(text.substr(at, 1))) ++at;
    return at;
}

}  // namespace

TEST_CASE("text may be cut anywhere") {
    const std::string text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5z\xed\x9f\xbf\xf4\x8f\xbf\xbf";
    for (std::size_t first = 0; first <= text.size(); ++first) {
        for (std::size_t second = first; second <= text.size(); ++second) {
            utf8_stream check;
            const std::string_view all{text};
            REQUIRE(check.feed(all.substr(0, first)));
            REQUIRE(check.feed(all.substr(first, second - first)));
            REQUIRE(check.feed(all.substr(second)));
            REQUIRE(check.finish());
        }
    }
}

TEST_CASE("the first octet that can't be right is refused, not a later one") {
    struct row {
        const char* text;
        std::size_t good;
    };
    for (const auto& [text, good] : {row{"ab\xff", 2}, row{"\xc0\x80", 0}, row{"\xc1\xbf", 0}, row{"\x80", 0},
                                     row{"\xe0\x9f\xbf", 1}, row{"\xed\xa0\x80", 1}, row{"\xf0\x8f\x80\x80", 1},
                                     row{"\xf4\x90\x80\x80", 1}, row{"\xf5\x80", 0}, row{"\xe2\x82z", 2},
                                     row{"\xf0\x9f\x8ez", 3}, row{"\xc3\xc3", 1}}) {
        CAPTURE(good);
        CHECK(good_octets(text) == good);
        utf8_stream whole;
        CHECK_FALSE(whole.feed(text));
    }
}

TEST_CASE("a text that ends inside a character is none") {
    utf8_stream check;
    CHECK(check.feed("a\xe2\x82"));
    CHECK_FALSE(check.finish());
    CHECK(check.feed("b"));  // the next text begins afresh
    CHECK(check.finish());
}

}  // namespace mbus::websocket
