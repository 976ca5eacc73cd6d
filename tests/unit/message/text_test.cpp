#include <doctest/doctest.h>

#include <string>

#include "message/text.hpp"

using namespace mbus::text;

TEST_CASE("Base64 of the RFC 4648 examples") {
    const auto encoded = [](std::string_view octets) {
        std::string out;
        append_base64(out, std::as_bytes(std::span{octets}));
        return out;
    };
    CHECK(encoded("") == "");
    CHECK(encoded("f") == "Zg==");
    CHECK(encoded("fo") == "Zm8=");
    CHECK(encoded("foo") == "Zm9v");
    CHECK(encoded("foobar") == "Zm9vYmFy");
    std::vector<std::byte> octets;
    CHECK(decode_base64("Zm9vYmE=", &octets) == 8);
    CHECK(octets.size() == 5);
    CHECK(decode_base64("Zm9v!mE=", nullptr) == 4);
    CHECK(decode_base64("Zm9vY", nullptr) == 4);
}

TEST_CASE("UTF-8 sequences are told from what only looks like them") {
    CHECK(is_utf8(""));
    CHECK(is_utf8("plain"));
    CHECK(is_utf8("\xf4\x8f\xbf\xbf"));
    CHECK_FALSE(is_utf8("\xc1\xbf"));
    CHECK_FALSE(is_utf8("\xf0\x8f\xbf\xbf"));
    CHECK_FALSE(is_utf8("\xf5\x80\x80\x80"));
    CHECK_FALSE(is_utf8("a\xe2\x82"));
}
