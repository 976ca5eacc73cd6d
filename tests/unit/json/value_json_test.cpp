#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>
#include <mbus_json/message_json.hpp>

using mbus::data;
using mbus::errc;
using mbus::symbol;
using mbus::value;
using mbus::wide_number;
namespace json = mbus::json;

namespace {

std::string text_of(const value& what) {
    std::string out;
    const auto done = json::append_value(out, what);
    REQUIRE_MESSAGE(done.has_value(), (done ? std::string{} : describe(done.error())));
    return out;
}

value value_of(std::string_view text) {
    auto read = json::parse_value(text);
    REQUIRE_MESSAGE(read.has_value(), (read ? std::string{} : describe(read.error())));
    return *read;
}

}  // namespace

TEST_CASE("each type has its form") {
    CHECK(text_of(80) == "80");
    CHECK(text_of(2.5) == "2.5");
    CHECK(text_of("hi") == "\"hi\"");
    CHECK(text_of(symbol{"on"}) == R"({"sym":"on"})");
    CHECK(text_of(data{std::string_view{"\x00\x01\x02", 3}}) == R"({"data":"AAEC"})");
    CHECK(text_of(data{}) == R"({"data":""})");
    CHECK(text_of(value::list{1, value::list{}, "a"}) == R"([1,[],"a"])");
}

TEST_CASE("a float keeps its point and never gets an exponent") {
    CHECK(text_of(1.0) == "1.0");
    CHECK(text_of(-0.5) == "-0.5");
    CHECK(text_of(1e21) == "1000000000000000000000.0");
    CHECK(text_of(1e-7) == "0.0000001");
    for (const double number : {std::numeric_limits<double>::max(), std::numeric_limits<double>::denorm_min(), 0.1, -1e300}) {
        const auto text = text_of(number);
        CHECK(text.find_first_of("eE") == std::string::npos);
        CHECK(value_of(text) == value{number});
    }
}

TEST_CASE("a number with point or exponent reads as float, one without as integer") {
    CHECK(value_of("1.0") == value{1.0});
    CHECK(value_of("1e3") == value{1000.0});
    CHECK(value_of("1") == value{1});
    CHECK(value_of("-0") == value{0});
    CHECK_FALSE(json::parse_value("1e999"));
}

TEST_CASE("an integer beyond 2^53 is written as digits, so that JavaScript does not round it") {
    const std::int64_t edge = std::int64_t{1} << 53;
    CHECK(text_of(edge) == "9007199254740992");
    CHECK(text_of(edge + 1) == R"({"int":"9007199254740993"})");
    CHECK(text_of(-edge - 1) == R"({"int":"-9007199254740993"})");
    CHECK(value_of(R"({"int":"-9007199254740993"})") == value{-edge - 1});
    CHECK(value_of("9007199254740993") == value{edge + 1});
    CHECK(value_of(text_of(std::numeric_limits<std::int64_t>::min())) == value{std::numeric_limits<std::int64_t>::min()});
}

TEST_CASE("numbers beyond 64 bits keep their digits") {
    const wide_number integer{"123456789012345678901234567890"};
    CHECK(text_of(integer) == R"({"int":"123456789012345678901234567890"})");
    CHECK(value_of(text_of(integer)) == value{integer});
    CHECK(value_of("123456789012345678901234567890") == value{integer});
    const wide_number number{std::string(400, '9') + ".5"};
    CHECK(value_of(text_of(number)) == value{number});
}

TEST_CASE("digits of another form are refused with the pointer to them") {
    for (const auto* text : {R"({"int":"1.5"})", R"({"int":""})", R"({"int":"-"})", R"({"float":"1"})", R"({"float":".5"})",
                             R"({"float":"1e5"})", R"({"int":5})", R"({"int":" 5"})"}) {
        const auto read = json::parse_value(text);
        REQUIRE_FALSE(read);
        CHECK(read.error().code == errc::bad_value);
        CHECK(read.error().text.starts_with("/"));
    }
}

TEST_CASE("a string is escaped so that a line stays a line") {
    CHECK(text_of("a\"b\\c\n\r\t\x01 \xC3\xA4") == "\"a\\\"b\\\\c\\n\\r\\t\\u0001 \xC3\xA4\"");
    CHECK(value_of("\"\\u00e4\\ud83d\\ude00\"") == value{"\xC3\xA4\xF0\x9F\x98\x80"});
}

TEST_CASE("a string that Mbus can't carry is refused both ways") {
    std::string out = "kept";
    CHECK_FALSE(json::append_value(out, std::string{"a\0b", 3}));
    CHECK_FALSE(json::append_value(out, "\x7F"));
    CHECK_FALSE(json::append_value(out, "\xFF"));
    CHECK(out == "kept");
    CHECK_FALSE(json::parse_value(R"("\u0000")"));
    CHECK_FALSE(json::parse_value(R"("\u007f")"));
}

TEST_CASE("NaN and infinity are refused") {
    std::string out;
    CHECK_FALSE(json::append_value(out, std::nan("")));
    CHECK_FALSE(json::append_value(out, std::numeric_limits<double>::infinity()));
    CHECK(out.empty());
}

TEST_CASE("true and false are 1 and 0 (RFC 3259 s5.3), null is refused") {
    CHECK(value_of("true") == value{1});
    CHECK(value_of("false") == value{0});
    CHECK_FALSE(json::parse_value("null"));
}

TEST_CASE("a symbol outside the grammar is refused both ways") {
    std::string out;
    CHECK_FALSE(json::append_value(out, symbol{"1st"}));
    CHECK_FALSE(json::parse_value(R"({"sym":"two words"})"));
    CHECK_FALSE(json::parse_value(R"({"sym":1})"));
    CHECK_FALSE(json::parse_value(R"({"symbol":"on"})"));
    CHECK_FALSE(json::parse_value(R"({"sym":"a","data":""})"));
}

TEST_CASE("data that is no Base64 is refused") {
    for (const auto* text : {R"({"data":"A"})", R"({"data":"AA=A"})", R"({"data":"A A="})", R"({"data":">x<"})"}) {
        CHECK_FALSE(json::parse_value(text));
    }
}

TEST_CASE("an error names the value in a nested list") {
    const auto read = json::parse_value(R"([1,[2,{"sym":"?"}]])");
    REQUIRE_FALSE(read);
    CHECK(read.error().text.starts_with("/1/1/sym: "));
}

TEST_CASE("lists nest as deep as in the text form and no deeper") {
    value deep = value::list{};
    for (std::size_t i = 1; i < mbus::list_depth_max; ++i) deep = value::list{deep};
    REQUIRE(mbus::format_value(deep));
    CHECK(value_of(text_of(deep)) == deep);
    const value deeper = value::list{deep};
    CHECK_FALSE(mbus::format_value(deeper));
    std::string out;
    CHECK_FALSE(json::append_value(out, deeper));
    CHECK(out.empty());
    const std::string text = std::string(mbus::list_depth_max + 1, '[') + std::string(mbus::list_depth_max + 1, ']');
    CHECK_FALSE(json::parse_value(text));
}
