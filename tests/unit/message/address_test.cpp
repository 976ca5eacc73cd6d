#include <doctest/doctest.h>

#include <array>
#include <string>

#include <mbus/address.hpp>

using mbus::address;

namespace {

address read(std::string_view text) {
    auto parsed = address::parse(text);
    REQUIRE_MESSAGE(parsed.has_value(), text);
    return *parsed;
}

}  // namespace

TEST_CASE("an address is a set: order and blanks don't matter (RFC 3259 s4) [item 23]") {
    const auto one = read("(media:audio app:rat)");
    CHECK(one == read("(app:rat media:audio)"));
    CHECK(one == read("( \tapp:rat \t media:audio\t )"));
    CHECK(one.text() == "(app:rat media:audio)");
    CHECK(one.size() == 2);
    CHECK(std::hash<address>{}(one) == std::hash<address>{}(read("(app:rat  media:audio)")));
}

TEST_CASE("elements compare octet for octet (RFC 3259 s4) [item 23]") {
    CHECK_FALSE(read("(app:rat)").answers_to(read("(app:RAT)")));
    CHECK_FALSE(read("(app:rat)").answers_to(read("(APP:rat)")));
}

TEST_CASE("an entity processes what is addressed to its address or a subset (RFC 3259 s4) [item 22]") {
    const auto own = read("(conf:test media:audio module:engine app:rat id:4711-1@192.168.1.1)");
    CHECK(own.answers_to(read("(media:audio module:engine)")));
    CHECK(own.answers_to(read("(module:engine)")));
    CHECK_FALSE(own.answers_to(
        read("(conf:test media:audio module:engine app:rat id:123-4@192.168.1.1 foo:bar)")));
    CHECK_FALSE(own.answers_to(read("(foo:bar)")));
    CHECK(own.answers_to(own));
    CHECK(own.answers_to(read("(id:4711-1@192.168.1.1)")));
    CHECK_FALSE(own.answers_to(read("(id:4711-1@192.168.1.11)")));
    CHECK_FALSE(own.answers_to(read("(app:rat zz:top)")));
    CHECK_FALSE(own.answers_to(read("(aa:first app:rat)")));
}

TEST_CASE("the empty address is everyone (RFC 3259 s4) [item 24]") {
    CHECK(address{}.text() == "()");
    CHECK(read("()") == address{});
    CHECK(read("(  )") == address{});
    CHECK(read("(app:rat)").answers_to(address{}));
    CHECK(address{}.answers_to(address{}));
    CHECK_FALSE(address{}.answers_to(read("(app:rat)")));
    CHECK(address{}.size() == 0);
}

TEST_CASE("a tag occurs once (RFC 3259 s4) [item 19]") {
    CHECK_FALSE(address::parse("(a:1 a:2)"));
    CHECK_FALSE(address::parse("(a:1 b:2 a:1)"));
    CHECK(address::parse("(a:1 A:1)"));
    CHECK(address::parse("(ab:1 a:1 abc:1)"));
}

TEST_CASE("a tag is 1 to 32 letters (RFC 3259 s4) [item 20]") {
    const std::string longest(32, 'x');
    CHECK(address::parse("(" + longest + ":v)"));
    CHECK_FALSE(address::parse("(x" + longest + ":v)"));
    CHECK_FALSE(address::parse("(a1:x)"));
    CHECK_FALSE(address::parse("(:x)"));
    CHECK_FALSE(address::parse("(a-b:x)"));
}

TEST_CASE("a value is 1 to 64 octets of 21-27, 2A-7E (RFC 3259 s4) [item 21]") {
    const std::string longest(64, 'v');
    CHECK(address::parse("(a:" + longest + ")"));
    CHECK_FALSE(address::parse("(a:v" + longest + ")"));
    CHECK_FALSE(address::parse("(a:)"));
    CHECK_FALSE(address::parse("(a: b:c)"));
    CHECK_FALSE(address::parse("(a:\xc3\xa9)"));
    CHECK_FALSE(address::parse("(a:x()"));
    CHECK_FALSE(address::parse("(a:x\x7f)"));
    CHECK(read("(a:b:*\"@)").find("a") == "b:*\"@");
}

TEST_CASE("an error names the octet and what was expected there") {
    const auto parsed = address::parse("(app:rat 1x:y)");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == mbus::errc::bad_address);
    CHECK(parsed.error().offset == 9);
    CHECK(parsed.error().text == "expected a tag of letters");
    CHECK(address::parse("app:rat").error().offset == 0);
    CHECK(address::parse("(app:rat").error().text == "expected ')' after the last element");
    CHECK(address::parse("").error().offset == 0);
    CHECK(address::parse("(").error().offset == 1);
    CHECK(address::parse("(app)").error().text == "expected ':' after the tag");
    CHECK(address::parse("(a:b)c)").error().text == "expected a blank between elements");
}

TEST_CASE("an address has at most 32 elements") {
    std::string text = "(";
    for (std::size_t index = 0; index < mbus::address_elements_max; ++index)
        text += std::string{" x"} + static_cast<char>('a' + index / 26) + static_cast<char>('a' + index % 26) + ":1";
    CHECK(address::parse(text + ")"));
    CHECK_FALSE(address::parse(text + " y:1)"));
}

TEST_CASE("elements can be read without their parentheses where people type them") {
    CHECK(*address::parse_relaxed("app:b media:audio") == read("(app:b media:audio)"));
    CHECK(*address::parse_relaxed("(app:b)") == read("(app:b)"));
    CHECK(*address::parse_relaxed("") == address{});
    CHECK_FALSE(address::parse_relaxed("app:b)"));
}

TEST_CASE("an address is built from elements, added to and merged") {
    const std::array elements{mbus::address_element{"media", "audio"}, mbus::address_element{"app", "rat"}};
    auto built = address::from_elements(elements);
    REQUIRE(built);
    CHECK(built->text() == "(app:rat media:audio)");
    CHECK(built->with("app", "vic")->text() == "(app:vic media:audio)");
    CHECK(built->with("id", "1-1@127.0.0.1")->text() == "(app:rat id:1-1@127.0.0.1 media:audio)");
    CHECK(built->merged(read("(media:video x:y)"))->text() == "(app:rat media:video x:y)");
    CHECK_FALSE(built->with("app", "two words"));
    CHECK_FALSE(built->with("", "v"));
    const std::array twice{mbus::address_element{"a", "1"}, mbus::address_element{"a", "2"}};
    CHECK_FALSE(address::from_elements(twice));
}

TEST_CASE("elements are walked in canonical order") {
    std::string seen;
    for (const auto element : read("(b:2 c:3 a:1)")) seen += std::string{element.tag} + "=" + std::string{element.value} + ";";
    CHECK(seen == "a=1;b=2;c=3;");
    CHECK_FALSE(read("(b:2)").find("a"));
}
