#include <doctest/doctest.h>

#include <clocale>
#include <limits>
#include <string>

#include <mbus/command.hpp>

using namespace std::literals;
using mbus::dialect;
using mbus::format_value;
using mbus::value;

TEST_CASE("commands are written each on its line, ended by CR LF (RFC 3259 s5.2) [item 18]") {
    const std::vector<mbus::command> commands{{"a.b", {1, "x"}}, {"c", {}}};
    CHECK(*mbus::format_commands(commands) == "a.b(1 \"x\")\r\nc()\r\n");
}

TEST_CASE("the legacy dialect has LF and blanks before parentheses") {
    const std::vector<mbus::command> commands{{"a.b", {1, value::list{2, mbus::symbol{"s"}}, 3}}, {"c", {}}};
    CHECK(*mbus::format_commands(commands, dialect::legacy) == "a.b (1 (2 s ) 3 )\nc ()\n");
}

TEST_CASE("strings are quoted, with the three escapes only (RFC 3259 s5.3) [item 37] [item 38]") {
    CHECK(*format_value("a\"b\\c\nd") == R"("a\"b\\c\nd")");
    CHECK(*format_value("tab\tcr\r") == "\"tab\tcr\r\"");
    CHECK(*format_value("") == "\"\"");
}

TEST_CASE("floats are digits.digits in every locale, never an exponent (RFC 3259 s5.3) [item 36]") {
    if (std::setlocale(LC_ALL, "de_DE.UTF-8") == nullptr) std::setlocale(LC_ALL, "");
    CHECK(*format_value(2.0) == "2.0");
    CHECK(*format_value(-0.5) == "-0.5");
    CHECK(*format_value(-0.0) == "-0.0");
    CHECK(*format_value(12.375) == "12.375");
    CHECK(*format_value(0.1 + 0.2) == "0.30000000000000004");
    CHECK(*format_value(99999999999.999) == "99999999999.999");
    CHECK(*format_value(1e20) == "100000000000000000000.0");
    CHECK(*format_value(1e-7) == "0.0000001");
    CHECK(format_value(std::numeric_limits<double>::max())->find('e') == std::string::npos);
    CHECK(format_value(std::numeric_limits<double>::denorm_min())->size() > 300);
    std::setlocale(LC_ALL, "C");
}

TEST_CASE("what can't be written is refused and nothing is appended") {
    std::string out = "before";
    for (const value& bad : {value{std::numeric_limits<double>::quiet_NaN()},
                             value{std::numeric_limits<double>::infinity()}, value{"a\0b"sv}, value{"\x7f"},
                             value{"\xff"}, value{mbus::symbol{""}}, value{mbus::symbol{"1x"}},
                             value{mbus::symbol{"two words"}}, value{mbus::wide_number{"1e5"}},
                             value{value::list{1, mbus::symbol{"-"}}}}) {
        const auto written = mbus::append_value(out, bad);
        REQUIRE_FALSE(written);
        CHECK(written.error().code == mbus::errc::bad_value);
        CHECK(out == "before");
    }
    CHECK_FALSE(mbus::append_command(out, {"not a name", {}}));
    CHECK_FALSE(mbus::append_command(out, {"fine", {"\xff"}}));
    CHECK(out == "before");
}

TEST_CASE("lists that a reader would refuse for their depth are not written") {
    value nested = value::list{};
    for (std::size_t depth = 2; depth <= mbus::list_depth_max; ++depth) nested = value::list{nested};
    CHECK(format_value(nested));
    CHECK_FALSE(format_value(value::list{nested}));
    std::string out;
    CHECK_FALSE(mbus::append_command(out, {"x", {nested}}));
}
