#include <doctest/doctest.h>

#include <limits>
#include <string>

#include <mbus/command.hpp>

using namespace std::literals;
using mbus::dialect;
using mbus::parse_commands;
using mbus::parse_value;
using mbus::value;

namespace {

// True when both walks, with and without building, take the text.
bool reads(std::string_view payload, dialect reading = dialect::rfc) {
    mbus::command_scanner scan{payload, reading};
    while (scan.next() != nullptr) {
    }
    const auto parsed = parse_commands(payload, reading);
    CHECK_MESSAGE(scan.failed() != parsed.has_value(), payload);
    if (!parsed) CHECK(scan.failure() == parsed.error());
    return parsed.has_value();
}

std::vector<value> arguments(std::string_view list) {
    const auto parsed = parse_commands("x" + std::string{list});
    REQUIRE_MESSAGE(parsed.has_value(), list);
    REQUIRE(parsed->size() == 1);
    return parsed->front().arguments;
}

bool needs_rewrite(std::string_view payload, dialect reading = dialect::rfc) {
    mbus::command_scanner scan{payload, reading};
    while (scan.next() != nullptr) {
    }
    REQUIRE_FALSE(scan.failed());
    return scan.needs_rewrite();
}

}  // namespace

TEST_CASE("a command name is a symbol (RFC 3259 s5.3) [item 32]") {
    CHECK(reads("a()"));
    CHECK(reads("player.play-2_x.Y()"));
    CHECK_FALSE(reads("1a()"));
    CHECK_FALSE(reads("_a()"));
    CHECK_FALSE(reads(".a()"));
    CHECK_FALSE(reads("()"));
}

TEST_CASE("a command has its list, also when empty (RFC 3259 s5.3) [item 33]") {
    CHECK_FALSE(reads("mbus.hello"));
    CHECK_FALSE(reads("mbus.hello\r\n"));
    CHECK(reads("mbus.hello()"));
}

TEST_CASE("parameters are of any of the six types (RFC 3259 s5.3) [item 34]") {
    const auto read = arguments("(-5 2.50 \"t\" (1) sym <AAECAw==>)");
    REQUIRE(read.size() == 6);
    CHECK(read[0] == value{-5});
    CHECK(read[1] == value{2.5});
    CHECK(read[2] == value{"t"});
    CHECK(read[3] == value{value::list{1}});
    CHECK(read[4] == value{mbus::symbol{"sym"}});
    CHECK(read[5] == value{mbus::data{"\0\1\2\3"sv}});
}

TEST_CASE("an integer is an optional minus and digits (RFC 3259 s5.3) [item 35]") {
    CHECK(arguments("(-0 007 9223372036854775807 -9223372036854775808)") ==
          std::vector<value>{0, 7, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()});
    CHECK_FALSE(reads("x(+1)"));
    CHECK_FALSE(reads("x(0x1)"));
    CHECK_FALSE(reads("x(-)"));
    CHECK_FALSE(reads("x(--1)"));
}

TEST_CASE("a float has digits on both sides of its point (RFC 3259 s5.3) [item 36]") {
    CHECK(arguments("(0.5 -12.25 007.10)") == std::vector<value>{0.5, -12.25, 7.1});
    CHECK_FALSE(reads("x(1.)"));
    CHECK_FALSE(reads("x(.5)"));
    CHECK_FALSE(reads("x(1e3)"));
    CHECK_FALSE(reads("x(1.5e3)"));
    CHECK_FALSE(reads("x(1,5)"));
}

TEST_CASE("exponent floats are read in the legacy dialect only, and then written anew") {
    const auto parsed = parse_commands("x(1.0E20 1e5 -2.5e-3 )", dialect::legacy);
    REQUIRE(parsed);
    CHECK(parsed->front().arguments == std::vector<value>{1e20, 1e5, -2.5e-3});
    CHECK(needs_rewrite("x(1e5)", dialect::legacy));
    CHECK_FALSE(reads("x(1e)", dialect::legacy));
    CHECK_FALSE(reads("x(1e999)", dialect::legacy));
}

TEST_CASE("numbers beyond 64 bits keep their digits (trap S9)") {
    const auto read = arguments("(9223372036854775808 -99999999999999999999)");
    CHECK(read[0] == value{mbus::wide_number{"9223372036854775808"}});
    CHECK(read[1] == value{mbus::wide_number{"-99999999999999999999"}});
    const auto huge = "1" + std::string(400, '0') + ".0";
    CHECK(arguments("(" + huge + ")")[0] == value{mbus::wide_number{huge}});
}

TEST_CASE("strings are quoted and have three escapes (RFC 3259 s5.3) [item 38]") {
    CHECK(arguments(R"x(("a\"b\\c\nd"))x")[0] == value{"a\"b\\c\nd"});
    CHECK(arguments(R"x(("\\n"))x")[0] == value{"\\n"});
    CHECK(arguments(R"x((""))x")[0] == value{""});
    CHECK(arguments(R"x(("ends in \\"))x")[0] == value{"ends in \\"});
    CHECK_FALSE(reads(R"x(x("open))x"));
    CHECK_FALSE(reads(R"x(x("open\"))x"));
    CHECK_FALSE(reads("x(\"open\\"));
}

TEST_CASE("any other escape is the octet itself, and written anew (trap S7)") {
    CHECK(arguments(R"x(("two\ words\t"))x")[0] == value{"two wordst"});
    CHECK(arguments("(\"\\\xc3\xa9\")")[0] == value{"\xc3\xa9"});
    CHECK(needs_rewrite(R"x(x("two\ words"))x"));
    CHECK_FALSE(needs_rewrite(R"x(x("a\n\\\""))x"));
    CHECK_FALSE(reads("x(\"\\\xff\")"));
    CHECK_FALSE(reads("x(\"\\\0\")"sv));
}

TEST_CASE("raw line ends and controls in strings are content (trap S6)") {
    CHECK(arguments("(\"a\nb\")")[0] == value{"a\nb"});
    CHECK(arguments("(\"a\r\nb\")")[0] == value{"a\r\nb"});
    CHECK(arguments("(\"\x01\t\x1f\")")[0] == value{"\x01\t\x1f"});
    CHECK(needs_rewrite("x(\"a\nb\")"));
}

TEST_CASE("strings are well-formed UTF-8 (RFC 3259 s5.1, trap S5) [item 17]") {
    CHECK(arguments("(\"h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\")")[0] == value{"h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"});
    for (const auto bad : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\x7f"})
        CHECK_FALSE(reads("x(\"" + std::string{bad} + "\")"));
    CHECK_FALSE(reads("x(\"a\0b\")"sv));
    CHECK_FALSE(reads("x(h\xc3\xa9)"));
}

TEST_CASE("data is Base64 between angle brackets (RFC 3259 s5.3, trap S11) [item 39]") {
    CHECK(arguments("(<> <QQ==> <QUI=> <QUJD> <QQ==QQ==>)") ==
          std::vector<value>{mbus::data{}, mbus::data{"A"}, mbus::data{"AB"}, mbus::data{"ABC"}, mbus::data{"AA"}});
    for (const auto bad : {"<QQ>", "<Q Q==>", "<QQ=>", "<=QQQ>", "<QQ==", "<Q=Q=>", "<QQ=Q>", "<QU-D>"})
        CHECK_FALSE(reads("x(" + std::string{bad} + ")"));
}

TEST_CASE("lists may be empty, nested and of mixed types (RFC 3259 s5.3) [item 40]") {
    const auto read = arguments(R"((1 (a "b" ()) <QQ==>))");
    REQUIRE(read.size() == 3);
    CHECK(read[1] == value{value::list{mbus::symbol{"a"}, "b", value::list{}}});
}

TEST_CASE("blanks are required between values and allowed at the edges (RFC 3259 s5.3) [item 41]") {
    CHECK(arguments("( \t1\t 2 )") == std::vector<value>{1, 2});
    CHECK(reads("x( )"));
    CHECK_FALSE(reads(R"x(x("a""b"))x"));
    CHECK_FALSE(reads("x((1)(2))"));
    CHECK_FALSE(reads("x(1\n2)"));
    CHECK_FALSE(reads("x(1"));
    CHECK_FALSE(reads("x(1))"));
}

TEST_CASE("a boolean is an integer, non-zero is true (RFC 3259 s5.3) [item 42]") {
    CHECK_FALSE(*value{0}.as_boolean());
    CHECK(*value{1}.as_boolean());
    CHECK(*value{-7}.as_boolean());
    CHECK(*value{true}.as_boolean());
    CHECK_FALSE(value{"yes"}.as_boolean());
    CHECK_FALSE(value{1.0}.as_boolean());
}

TEST_CASE("blanks between name and list are read (trap S2)") {
    CHECK(reads("cmd (1 )\n"));
    CHECK_FALSE(needs_rewrite("cmd \t(1 )\n"));
}

TEST_CASE("line ends are CR LF or LF, with or without a final one (traps S1, S4)") {
    for (const auto payload : {"a()\r\nb()", "a()\nb()", "a()\r\nb()\r\n", "a()\nb()\n", "a()\r\nb()\n"}) {
        const auto parsed = parse_commands(payload);
        REQUIRE(parsed);
        CHECK(parsed->size() == 2);
        CHECK_FALSE(needs_rewrite(payload));
    }
    CHECK_FALSE(reads("a()\rb()"));
    CHECK_FALSE(reads("a() b()"));
    CHECK_FALSE(reads("a()\r\n\r\n"));
    CHECK_FALSE(reads("\r\n"));
    CHECK(reads(""));
}

TEST_CASE("the legacy dialect reads over empty lines") {
    const auto parsed = parse_commands("a ()\n\nb ()\n\n", dialect::legacy);
    REQUIRE(parsed);
    CHECK(parsed->size() == 2);
    CHECK(reads("a ()\n\n", dialect::legacy));
}

TEST_CASE("one malformed command refuses the payload (trap S13)") {
    const auto parsed = parse_commands("good(1)\r\ngood(2)\r\nbad(+)\r\n");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == mbus::errc::bad_command);
    CHECK(parsed.error().offset == 22);
    CHECK(parsed.error().text == "expected a value: number, \"string\", symbol, <data> or (list)");
}

TEST_CASE("lists nest up to 64 deep, and no deeper (trap S14)") {
    const auto nested = [](std::size_t depth) {
        return "x" + std::string(depth, '(') + std::string(depth, ')');
    };
    CHECK(reads(nested(mbus::list_depth_max)));
    CHECK_FALSE(reads(nested(mbus::list_depth_max + 1)));
    CHECK_FALSE(reads("x" + std::string(1'000'000, '(')));
}

TEST_CASE("a payload has at most 32768 commands") {
    std::string payload;
    for (std::size_t index = 0; index < mbus::commands_max; ++index) payload += "a()\n";
    CHECK(reads(payload));
    CHECK_FALSE(reads(payload + "a()"));
}

TEST_CASE("exactly one value is read from an argument") {
    CHECK(*parse_value("1") == value{1});
    CHECK(*parse_value("\"hi\"") == value{"hi"});
    CHECK(*parse_value("(1 2)") == value{value::list{1, 2}});
    CHECK(parse_value("hi there").error().offset == 2);
    CHECK(parse_value("").error().offset == 0);
    CHECK_FALSE(parse_value("1 "));
}

TEST_CASE("the scanner names each command and its list") {
    mbus::command_scanner scan{"a.b (1 2 )\nc()\n"};
    const auto* seen = scan.next();
    REQUIRE(seen != nullptr);
    CHECK(seen->name == "a.b");
    CHECK(seen->arguments == "(1 2 )");
    seen = scan.next();
    REQUIRE(seen != nullptr);
    CHECK(seen->name == "c");
    CHECK(scan.next() == nullptr);
    CHECK_FALSE(scan.failed());
}

TEST_CASE("globs match names: * any run, ? one octet, commas between globs") {
    CHECK(mbus::glob_matches("player.*", "player.play"));
    CHECK(mbus::glob_matches("*", ""));
    CHECK(mbus::glob_matches("a?c", "abc"));
    CHECK(mbus::glob_matches("x,*.text", "demo.text"));
    CHECK(mbus::glob_matches("*a*b*", "xxaxxbxx"));
    CHECK_FALSE(mbus::glob_matches("player.*", "player"));
    CHECK_FALSE(mbus::glob_matches("a?c", "ac"));
    CHECK_FALSE(mbus::glob_matches("*a*b", "xxaxxbxx"));
    CHECK_FALSE(mbus::glob_matches("", "x"));
}

TEST_CASE("an octet that does not stand for itself is found wherever it is in a long string") {
    constexpr std::size_t longest = 200;  // more than three times what is looked at together
    for (std::size_t at = 0; at < longest; ++at) {
        CAPTURE(at);
        const std::string before(at, 'x');
        const std::string after(longest - at, 'y');
        for (const std::string_view special : {"\xC3\xA9", "\\\"", "\\\\"}) {
            const auto payload = "a(\"" + before + std::string{special} + after + "\")";
            CHECK(reads(payload));
            const auto read = parse_commands(payload);
            REQUIRE(read);
            const auto* const text = read->front().arguments.front().get_if<std::string>();
            REQUIRE(text != nullptr);
            const auto meant = special.starts_with('\\') ? special.substr(1) : special;
            CHECK(*text == before + std::string{meant} + after);
        }
        for (const char bad : {'\x7F', '\0', '\x80', '\xFF'}) CHECK_FALSE(reads("a(\"" + before + bad + after + "\")"));
        CHECK_FALSE(reads("a(\"" + before));
    }
}
