// Conformance, items 47 to 52 and 65 to 71 as far as the engine decides: group or unicast, sizes
// (RFC 3259, section 6). The sockets have their tests in tests/unit/bus and tests/system.
#include "engine_fixture.hpp"

using namespace mbus;
using namespace mbus::lab;

namespace {

captured only(const engine_fixture& f) {
    const auto sent = f.lab.captured_with("a.b");
    REQUIRE(sent.size() == 1);
    return sent.front();
}

}  // namespace

TEST_CASE_FIXTURE(engine_fixture, "the engine keeps IPv4 and IPv6 endpoints alike (RFC 3259 s6) [item 47]") {
    auto from = make_endpoint(9, 50009);
    from.family = protocol::ip_family::v6;
    from.octets = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 2, 0xa0, 0xc9, 0xff, 0xfe, 0x12, 0x34, 0x56};
    meet(peer_text, from);
    REQUIRE(it.send(own, peer_text, "a.b()"));
    CHECK_FALSE(only(*this).group);
    CHECK(only(*this).to == from);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "a target that is not fully qualified goes to the group (RFC 3259 s6) [item 48] [item 49]") {
    meet();
    SUBCASE("a subset, although it matches one peer only") { REQUIRE(it.send(own, "(module:ui)", "a.b()")); }
    SUBCASE("nobody knows who matches") { REQUIRE(it.send(own, "(x:y)", "a.b()")); }
    CHECK(only(*this).group);
}

TEST_CASE("directed unicast can be switched off (RFC 3259 s6.2) [item 50]") {
    const bool on = true;
    SUBCASE("on: a full address goes straight to its endpoint") {
        engine_fixture f{{}, {.unicast = on}};
        f.meet();
        REQUIRE(f.it.send(f.own, peer_text, "a.b()"));
        CHECK_FALSE(only(f).group);
        CHECK(only(f).to == make_endpoint(200, 50200));
    }
    SUBCASE("off: it goes to the group") {
        engine_fixture f{{}, {.unicast = !on}};
        f.meet();
        REQUIRE(f.it.send(f.own, peer_text, "a.b()"));
        CHECK(only(f).group);
    }
}

TEST_CASE_FIXTURE(engine_fixture,
                  "too large a message is an error for the caller, nothing is sent (RFC 3259 s6) [item 51]") {
    const std::string huge = "a.b(\"" + std::string(66000, 'x') + "\")";
    const auto sent = it.send(own, "()", huge);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == errc::too_large);
    CHECK(lab.captured_with("a.b").empty());
    const std::string fits = "a.b(\"" + std::string(65000, 'x') + "\")";
    REQUIRE(it.send(own, "()", fits));
    CHECK(only(*this).datagram.size() <= datagram_octets_max);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "datagram_octets() bounds the datagram, for warnings about the MTU (RFC 3259 s6) [item 52]") {
    const auto everyone = *address::parse("()");
    const std::string text = "a.b(\"" + std::string(500, 'x') + "\")";
    const auto bound =
        it.node.datagram_octets({.from = own, .destination = &everyone, .payload = text, .commands = 1});
    REQUIRE(it.send(own, "()", text));
    CHECK(only(*this).datagram.size() <= bound);
    CHECK(only(*this).datagram.size() + 20 >= bound);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "DestAddr is filled in with directed unicast too (RFC 3259 s6.2) [item 65]") {
    meet();
    REQUIRE(it.send(own, peer_text, "a.b()"));
    CHECK_FALSE(only(*this).group);
    CHECK(only(*this).parsed().header.destination.text() == address::parse(peer_text)->text());
}

TEST_CASE_FIXTURE(engine_fixture, "unicast only when the target is unique (RFC 3259 s6.2) [item 67]") {
    meet();
    meet(
        "(app:rat id:4712-1@192.168.1.1 media:audio module:ui other:one)");  // has all its elements, and more
    REQUIRE(it.send(own, peer_text, "a.b()"));
    CHECK(only(*this).group);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "unicast follows the port of the last message (RFC 3259 s6.2, trap T5) [item 68] [item 66]") {
    meet(peer_text, make_endpoint(200, 50001));
    const auto path = [&] {
        lab.clear_capture();
        REQUIRE(it.send(own, peer_text, "a.b()"));
        return only(*this);
    };
    CHECK(path().to == make_endpoint(200, 50001));
    lab.inject(it, message("1", "U", "(x:y)", "c.d()"), make_endpoint(200, 47000));
    CHECK(path().group);
    lab.inject(it, message("2", "U", "(x:y)", "c.d()"), make_endpoint(200, 50003));
    CHECK(path().to == make_endpoint(200, 50003));
}

TEST_CASE("a peer on the configured port of the session gets no unicast (trap T4) [item 68]") {
    engine_fixture f{{}, {.session_port = 47999}};
    f.meet(peer_text, make_endpoint(200, 47999));
    REQUIRE(f.it.send(f.own, peer_text, "a.b()"));
    CHECK(only(f).group);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "messages to () go to the group, however few peers there are (RFC 3259 s6.2) [item 69]") {
    meet();
    REQUIRE(it.send(own, "()", "a.b()"));
    CHECK(only(*this).group);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "entities share an endpoint, DestAddr tells them apart (RFC 3259 s6.2) [item 70]") {
    const auto second = it.attach("(app:second)");
    auto& other = lab.add();
    const auto sender = other.attach("(app:sender)");
    lab.run_for(1s);
    REQUIRE(other.send(sender, own_text, "a.b(1)"));
    REQUIRE(other.send(sender, it.address_of(second), "a.b(2)"));
    lab.run_for(10ms);
    CHECK(texts() == std::vector<std::string>{"a.b(1)\r\n"});
    CHECK(it.texts_for(second) == std::vector<std::string>{"a.b(2)\r\n"});
    for (const auto& each : lab.captured_with("a.b")) CHECK_FALSE(each.group);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "match() counts our own entities and the known peers (RFC 3259 s6.2, trap A5) [item 71]") {
    meet();
    const auto count = [&](std::string_view text) { return it.node.match(*address::parse(text)); };
    CHECK(count("()").total() == 2);
    CHECK(count("(app:rat)").total() == 2);
    CHECK(count("(module:ui)").remote == 1);
    CHECK_FALSE(count("(module:ui)").complete);
    CHECK(count(peer_text).complete);
    CHECK(count("(module:engine)").local == std::vector{own});
    CHECK(count("(x:y)").total() == 0);
}
