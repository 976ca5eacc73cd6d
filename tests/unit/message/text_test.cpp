#include <doctest/doctest.h>

#include <array>
#include <span>
#include <string>
#include <vector>

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

TEST_CASE("data of messages is decoded leniently: padding between units, stray bits (trap S11)") {
    std::vector<std::byte> octets;
    CHECK(decode_base64("Zg==Zm8=Zm9v", &octets) == 12);
    CHECK(octets.size() == 6);
    CHECK(decode_base64("Zh==", nullptr) == 4);
    CHECK(decode_base64("", nullptr) == 0);
    CHECK(decode_base64("Z===", nullptr) == 0);
    CHECK(decode_base64("Zg=A", nullptr) == 2);
}

TEST_CASE("MACs and keys are decoded strictly: one text for one octet string") {
    std::array<std::byte, 16> octets{};
    CHECK(decode_base64_strictly("Zm9vYmE=", octets.data()) == 5U);
    CHECK(octets[4] == std::byte{'a'});
    for (const auto* const text : {"", "Zg==Zm8=", "Zh==", "Zm9=", "Zm9vY", "Z===", "Zm 9", "Zg=A", "===="}) {
        CAPTURE(text);
        CHECK_FALSE(decode_base64_strictly(text, octets.data()));
    }
}

TEST_CASE("text without control characters is UTF-8 and more") {
    CHECK(is_utf8_without_controls("twelve plain"));
    CHECK(is_utf8_without_controls("eight oc\xc3\xa9ts and more"));
    CHECK_FALSE(is_utf8_without_controls("eight octets\n"));
    CHECK_FALSE(is_utf8_without_controls("eight octets\x7f"));
    CHECK_FALSE(is_utf8_without_controls("eight octets\xff"));
    CHECK(is_utf8("eight octets\n and \x7f"));
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
