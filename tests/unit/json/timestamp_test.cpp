#include <doctest/doctest.h>
#include <mbus_json/message_json.hpp>

namespace json = mbus::json;

TEST_CASE("a time stamp has three digits of milliseconds and ends with Z") {
    CHECK(json::format_timestamp(0) == "1970-01-01T00:00:00.000Z");
    CHECK(json::format_timestamp(951'782'400'007) == "2000-02-29T00:00:00.007Z");
    CHECK(json::format_timestamp(json::timestamp_max) == "2286-11-20T17:46:39.999Z");
}

TEST_CASE("a time stamp reads back, with any number of fraction digits") {
    CHECK(*json::parse_timestamp("2000-02-29T00:00:00.007Z") == 951'782'400'007);
    CHECK(*json::parse_timestamp("2000-02-29T00:00:00Z") == 951'782'400'000);
    CHECK(*json::parse_timestamp("2000-02-29T00:00:00.1Z") == 951'782'400'100);
    CHECK(*json::parse_timestamp("2000-02-29T00:00:00.007999999Z") == 951'782'400'007);
}

TEST_CASE("anything else is refused") {
    for (const auto* text : {"", "Z", "2000-02-29", "2001-02-29T00:00:00Z", "2000-02-29T24:00:00Z", "2000-02-29 00:00:00Z",
                             "2000-02-29T00:00:00", "2000-02-29T00:00:00.Z", "2000-02-29T00:00:00.1234567890Z",
                             "1969-12-31T23:59:59Z", "2287-01-01T00:00:00Z", "2000-02-29T00:00:0xZ"}) {
        CAPTURE(text);
        CHECK_FALSE(json::parse_timestamp(text));
    }
}
