// Dates (RFC 4287, section 3.3).
#include <doctest/doctest.h>

#include "atom/timestamp.hpp"

using mbusd::atom::date_text;
using mbusd::atom::is_date;

TEST_CASE("a time is written with T and Z, and with its milliseconds if it has any") {
    CHECK(date_text(0) == "1970-01-01T00:00:00Z");
    CHECK(date_text(1'700'000'000'000) == "2023-11-14T22:13:20Z");
    CHECK(date_text(1'700'000'000'007) == "2023-11-14T22:13:20.007Z");
}

TEST_CASE("dates of RFC 3339 are taken, with fractions and zones") {
    for (const char* good : {"2003-12-13T18:30:02Z", "2003-12-13T18:30:02.25Z", "2003-12-13T18:30:02+01:00", "2004-02-29T00:00:00Z",
                             "2016-12-31T23:59:60Z", "2003-12-13T18:30:02.25-11:30"}) {
        CAPTURE(good);
        CHECK(is_date(good));
    }
}

TEST_CASE("what is no date of RFC 3339, or no day of any year, is none") {
    for (const char* bad : {"", "2003-12-13", "2003-12-13T18:30Z", "2003-12-13T18:30:02", "2003-12-13t18:30:02Z", "2003-12-13T18:30:02z",
                            "2003-12-13 18:30:02Z", "2003-13-13T18:30:02Z", "2003-02-29T18:30:02Z", "1900-02-29T00:00:00Z",
                            "2003-12-13T24:00:00Z", "2003-12-13T18:60:02Z", "2003-12-13T18:30:02.Z", "2003-12-13T18:30:02+0100",
                            "2003-12-13T18:30:02Zx", "yesterday"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_date(bad));
    }
}
