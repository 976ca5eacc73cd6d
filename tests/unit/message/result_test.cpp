#include <doctest/doctest.h>

#include <set>

#include <mbus/result.hpp>

using mbus::errc;
using mbus::result;

TEST_CASE("a result holds a value or an error") {
    result<int> good = 7;
    CHECK(good);
    CHECK(*good == 7);
    result<int> bad{errc::conflict, "there is one already"};
    CHECK_FALSE(bad);
    CHECK(bad.error() == mbus::error{errc::conflict, "there is one already"});
    CHECK(result<void>{});
    CHECK_FALSE(result<void>{errc::rate, ""});
}

TEST_CASE("every code has a name of its own that reads back") {
    std::set<std::string_view> names;
    for (unsigned number = 0; number <= static_cast<unsigned>(errc::remote_failed); ++number) {
        const auto code = static_cast<errc>(number);
        CHECK(mbus::errc_from_string(mbus::to_string(code)) == code);
        CHECK(names.insert(mbus::to_string(code)).second);
    }
    CHECK(mbus::errc_from_string("from-a-later-version") == errc::internal);
}

TEST_CASE("an error is described with code and place") {
    CHECK(mbus::describe({errc::syntax, "expected ')'", 12}) == "syntax: expected ')' at octet 12");
    CHECK(mbus::describe({errc::no_match, ""}) == "no-match");
}
