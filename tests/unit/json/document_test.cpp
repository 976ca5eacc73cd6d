// Texts that are no JSON, or too much of it.
#include <string>

#include <doctest/doctest.h>
#include <mbus_json/message_json.hpp>

using mbus::errc;
namespace json = mbus::json;

TEST_CASE("a text that is no JSON is refused with the offset of the fault") {
    const auto read = json::parse_value("[1, 2, oops]");
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::syntax);
    CHECK(read.error().offset == 7);
}

TEST_CASE("a text that ends too early says so") {
    const auto read = json::parse_value("[1, 2");
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::syntax);
    CHECK(read.error().text.find("ends too early") != std::string::npos);
}

TEST_CASE("what follows the text is refused with its offset, blanks are not") {
    CHECK(json::parse_value(" 1 \r\n"));
    const auto read = json::parse_value("1 2");
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::syntax);
    CHECK(read.error().offset == 2);
}

TEST_CASE("an empty text is refused") {
    CHECK_FALSE(json::parse_value(""));
    CHECK_FALSE(json::parse_value("   "));
}

TEST_CASE("a member name that occurs twice is refused") {
    const auto read = json::parse_value(R"({"sym":"a","sym":"b"})");
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::syntax);
}

TEST_CASE("a text beyond the size limit is refused with both sizes") {
    const std::string text(json::text_octets_max + 1, ' ');
    const auto read = json::parse_value(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::too_large);
    CHECK(read.error().text.find("1048577") != std::string::npos);
    CHECK(read.error().text.find("1048576") != std::string::npos);
}

TEST_CASE("a million open brackets are refused without a deep stack") {
    const auto read = json::parse_value(std::string(json::text_octets_max, '['));
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::syntax);
}

TEST_CASE("an object of very many members is refused early") {
    std::string text = "{";
    for (int i = 0; i < 50'000; ++i) text += "\"k" + std::to_string(i) + "\":1,";
    text += "\"z\":1}";
    const auto read = json::parse_value(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::syntax);
}

TEST_CASE("text that is not UTF-8 is refused") {
    CHECK_FALSE(json::parse_value("\"\xC3\x28\""));
    CHECK_FALSE(json::parse_value(R"("\ud800")"));
}
