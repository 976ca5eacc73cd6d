#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/words.hpp"

using namespace mbus::tools;
using mbus::errc;
using mbus::value;

namespace {

using words = std::vector<std::string>;

addressed_words split(const words& given) {
    auto read = read_address_words(given);
    REQUIRE(read);
    return *read;
}

}  // namespace

TEST_CASE("address words merge into one address, up to the first word without a colon") {
    const words given{"app:b", "media:x", "demo.text", "a:b"};
    const auto read = split(given);
    CHECK(read.has_address);
    CHECK(read.destination.text() == "(app:b media:x)");
    CHECK(read.rest == 2);
}

TEST_CASE("parentheses are optional, () is everyone") {
    CHECK(split({"(app:b media:x)", "c"}).destination.text() == "(app:b media:x)");
    CHECK(split({"app:b media:x", "c"}).destination.text() == "(app:b media:x)");
    CHECK(split({"()", "c"}).destination.empty());
    CHECK(split({"( )", "c"}).has_address);
    CHECK_FALSE(split({"c"}).has_address);
    CHECK(split({"id:7-1@10.0.0.1", "c"}).destination.text() == "(id:7-1@10.0.0.1)");
}

TEST_CASE("two values for one tag are refused, the same one twice is not") {
    const words twice{"app:a", "app:b", "c"};
    const auto read = read_address_words(twice);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::bad_address);
    CHECK(read.error().text.find("not both a and b") != std::string::npos);
    CHECK(split({"app:a", "app:a", "c"}).destination.text() == "(app:a)");
}

TEST_CASE("a word that looks like an address but is none is named") {
    const words given{"app:", "c"};
    const auto read = read_address_words(given);
    REQUIRE_FALSE(read);
    CHECK(read.error().text.find("'app:' is no address") == 0);
}

TEST_CASE("each argument is an Mbus value") {
    const words given{"demo.text", "\"hi\"", "1", "2.5", "sym", "<AAEC>", "(1 2)", "-7"};
    const auto read = read_command_words(given);
    REQUIRE(read);
    CHECK(read->name == "demo.text");
    const std::vector<value> expected{"hi", 1, 2.5, mbus::symbol{"sym"}, mbus::data{std::string_view{"\0\1\2", 3}}, value::list{1, 2}, -7};
    CHECK(read->arguments == expected);
}

TEST_CASE("an argument that is no value is answered with the right quotes") {
    const words given{"demo.text", "hello world"};
    const auto read = read_command_words(given);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::bad_value);
    CHECK(read.error().text.find("argument 1, 'hello world'") == 0);
    CHECK(read.error().text.find("'\"hello world\"'") != std::string::npos);
}

TEST_CASE("an argument with control characters is shown harmlessly") {
    const words given{"a.b", "\x1b[2J boo"};
    const auto read = read_command_words(given);
    REQUIRE_FALSE(read);
    CHECK(read.error().text.find('\x1b') == std::string::npos);
}

TEST_CASE("a command name outside the grammar is refused") {
    for (const auto* name : {"1st", "", "a b", "a!"}) {
        const words given{name};
        const auto read = read_command_words(given);
        REQUIRE_FALSE(read);
        CHECK(read.error().code == errc::bad_command);
    }
}

TEST_CASE("a string is quoted for the shell") {
    CHECK(quoted_for_shell("it's") == "'\"it'\\''s\"'");
    CHECK(quoted_for_shell("a\"b") == "'\"a\\\"b\"'");
}
