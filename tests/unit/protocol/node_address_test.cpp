// Conformance, items 19 to 31: addresses (RFC 3259, section 4).
#include <regex>
#include <set>

#include "engine_fixture.hpp"

using namespace mbus;
using namespace mbus::lab;

TEST_CASE_FIXTURE(engine_fixture,
                  "a tag that occurs twice drops the message; no such own address (RFC 3259 s4) [item 19]") {
    feed(1, "U", "(a:1 a:2)", "a.b()");
    feed(2, "U", "()", "a.b()", "()", "(id:1-1@h a:1 a:2)");
    CHECK(drops(drop_reason::bad_header) == 2);
    CHECK(texts().empty());
    CHECK_FALSE(address::parse("(a:1 a:2)"));
}

TEST_CASE_FIXTURE(engine_fixture, "a tag is 1 to 32 letters (RFC 3259 s4) [item 20]") {
    feed(1, "U", "(" + std::string(33, 'a') + ":x)", "a.b()");
    feed(2, "U", "(a1:x)", "a.b()");
    feed(3, "U", "(:x)", "a.b()");
    CHECK(drops(drop_reason::bad_header) == 3);
    feed(4, "U", "(" + std::string(32, 'a') + ":x)", "a.b()");
    CHECK(drops(drop_reason::not_for_us) == 1);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "a value is 1 to 64 octets of printable ASCII without blanks and parentheses (RFC 3259 s4) [item 21]") {
    std::uint32_t number = 0;
    const std::string long_one(65, 'x');
    for (const std::string& value : {long_one, std::string{}, std::string{"\xc3\xa9"}, std::string{"x(y"}})
        feed(++number, "U", "(a:" + value + ")", "a.b()");
    CHECK(drops(drop_reason::bad_header) == 4);
    const auto odd = it.attach("(a:b:*\"@<\\)");
    feed(++number, "U", "(a:b:*\"@<\\)", "a.b()");
    CHECK(it.texts_for(odd).size() == 1);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "only messages to the own address or a subset of it are processed (RFC 3259 s4.2) [item 22]") {
    feed(1, "U", "(media:audio module:engine)", "a.b(1)");
    feed(2, "U", "(module:engine)", "a.b(2)");
    feed(3, "U", "(conf:test media:audio module:engine app:rat id:123-4@192.168.1.1 foo:bar)", "a.b(3)");
    feed(4, "U", "(foo:bar)", "a.b(4)");
    CHECK(texts() == std::vector<std::string>{"a.b(1)", "a.b(2)"});
    CHECK(drops(drop_reason::not_for_us) == 2);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "element order is irrelevant, comparison is octet by octet (RFC 3259 s4) [item 23]") {
    feed(1, "U", "( module:engine   app:rat\tmedia:audio )", "a.b(1)");
    feed(2, "U", "(module:ENGINE)", "a.b(2)");
    feed(3, "U", "(MODULE:engine)", "a.b(3)");
    CHECK(texts() == std::vector<std::string>{"a.b(1)"});
    // The same source in another order is the same source.
    feed(1, "U", "()", "a.b(1)", "()", "( media:audio   id:4712-1@192.168.1.1 app:rat )");
    feed(1, "U", "()", "a.b(1)", "()", "(app:rat id:4712-1@192.168.1.1 media:audio)");
    CHECK(drops(drop_reason::duplicate) == 1);
}

TEST_CASE_FIXTURE(engine_fixture, "() addresses everyone (RFC 3259 s4) [item 24]") {
    const auto second = it.attach("(app:second)");
    const auto third = it.attach("(app:third)");
    feed(1, "U", "()", "a.b()");
    feed(2, "U", "( )", "a.b()");
    for (const auto each : {own, second, third}) CHECK(it.texts_for(each).size() == 2);
    CHECK(it.delivered[0].what == it.delivered[1].what);  // one message, shared
}

TEST_CASE(
    "an own address without id gets one of the form of section 4.1 [item 25] [item 26] [item 27] [item 29] [item 30]") {
    bus_lab lab;
    auto& it = lab.add({.host_id = "192.168.1.1"});
    const auto first = it.attach("(app:one)", 4711);
    const auto second = it.attach("(app:two)", 4711);
    const std::regex form{R"(\(app:\w+ id:4711-([0-9]{1,5})@192\.168\.1\.1\))"};
    std::smatch one;
    std::smatch two;
    const auto first_text = it.address_of(first);
    const auto second_text = it.address_of(second);
    REQUIRE(std::regex_match(first_text, one, form));
    REQUIRE(std::regex_match(second_text, two, form));
    CHECK(one[1] != two[1]);
}

TEST_CASE("the host-id of an IPv6 bus is the interface-ID (RFC 3259 s4.1) [item 28]") {
    bus_lab lab;
    auto& it = lab.add({.host_id = "2a0:c9ff:fe12:3456"});
    CHECK(it.address_of(it.attach("(app:x)")).ends_with("@2a0:c9ff:fe12:3456)"));
}

TEST_CASE("a hundred entities of one process have a hundred ids (RFC 3259 s4.1) [item 31]") {
    bus_lab lab;
    auto& it = lab.add();
    std::set<std::string> addresses;
    for (int count = 0; count < 100; ++count) addresses.insert(it.attach_and_name("(app:x)"));
    CHECK(addresses.size() == 100);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "an own id outside the grammar of section 4.1 is refused, one in use is a conflict") {
    const auto attach = [&](std::string_view text) {
        return it.node.attach(lab.now(), *address::parse(text), 1).error().code;
    };
    CHECK(attach("(id:hello)") == errc::bad_address);
    CHECK(attach(own_text) == errc::conflict);
    CHECK(attach("(app:other id:4711-1@192.168.1.1)") == errc::conflict);
    meet();
    CHECK(attach(peer_text) == errc::conflict);
}

TEST_CASE_FIXTURE(engine_fixture, "a source without id is dropped: it could not be answered (trap A2)") {
    feed(1, "U", "()", "a.b()", "()", "(app:nobody)");
    CHECK(texts().empty());
    CHECK(drops(drop_reason::source_without_id) == 1);
}

TEST_CASE("a star is an ordinary octet of a value (trap A1)") {
    engine_fixture f;
    f.feed(1, "U", "(module:*)", "a.b()");
    CHECK(f.texts().empty());
}

TEST_CASE("own datagrams that come back are dropped, other local entities are served at once (trap A3)") {
    engine_fixture f;
    const auto second = f.it.attach("(app:second)");
    REQUIRE(f.it.send(f.own, "()", "a.b()"));
    CHECK(f.it.texts_for(second).size() == 1);
    f.lab.run_for(100ms);
    CHECK(f.it.texts_for(second).size() == 1);
    CHECK(f.texts().empty());
    CHECK(f.drops(drop_reason::own_echo) >= 1);
}

TEST_CASE("the echo of an entity that has just left is known too") {
    engine_fixture f;
    const auto second = f.it.attach("(app:second)");
    REQUIRE(f.it.send(f.own, "()", "a.b()"));
    f.it.detach(f.own);
    f.lab.run_for(100ms);  // message and bye come back
    CHECK(f.it.texts_for(second).size() == 1);
    CHECK(f.it.changes.empty());
    CHECK(f.drops(drop_reason::own_echo) >= 2);
}
