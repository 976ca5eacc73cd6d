// Conformance, items 105 to 123: the standard messages (RFC 3259, section 9).
#include <algorithm>

#include "engine_fixture.hpp"

using namespace mbus;
using namespace mbus::lab;

namespace {

// The engine after its first hello, with a long way to the next one: 50 members.
struct quiet_fixture : engine_fixture {
    quiet_fixture() {
        lab.run_for(1s);
        for (int number = 0; number < 49; ++number) meet("(id:" + std::to_string(number) + "-2@10.9.9.9)");
        lab.run_for(1500ms);
        lab.clear_capture();
    }
};

}  // namespace

TEST_CASE_FIXTURE(engine_fixture,
                  "hello and bye are unreliable, to everyone, alone in their message (RFC 3259 s9.1, s9.2) "
                  "[item 105] [item 107] [item 108]") {
    lab.run_for(1s);
    it.detach(own);
    const auto& all = lab.capture();
    REQUIRE(all.size() == 2);
    CHECK(all.front().parsed().commands == std::vector<command>{{"mbus.hello", {}}});
    CHECK(all.back().parsed().commands == std::vector<command>{{"mbus.bye", {}}});
    for (const auto& each : all) {
        CHECK(each.group);
        CHECK(each.presence);
        CHECK(each.parsed().header.type == message_type::unreliable);
        CHECK(each.parsed().header.destination.empty());
    }
}

TEST_CASE("the first hello comes within a second of attaching, at a random time (RFC 3259 s9.1) [item 106]") {
    std::vector<duration> delays;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        engine_fixture f{{.seed = seed}};
        const auto attached = f.lab.now().now;
        REQUIRE(f.lab.run_until([&] { return !f.lab.capture().empty(); }, 2s));
        delays.push_back(f.lab.capture().front().at - attached);
    }
    const auto [shortest, longest] = std::ranges::minmax(delays);
    CHECK(longest <= 1000ms);
    CHECK(shortest < 150ms);
    CHECK(longest > 850ms);
}

TEST_CASE_FIXTURE(quiet_fixture,
                  "a ping is answered with a hello to everyone, within a second (RFC 3259 s9.3) "
                  "[item 109] [item 110] [item 111]") {
    feed(1, "U", "()", "mbus.ping()");
    lab.run_for(1s);
    const auto hellos = lab.captured_with("mbus.hello()");
    REQUIRE(hellos.size() == 1);
    CHECK(hellos[0].group);
    CHECK(hellos[0].parsed().header.destination.empty());
    CHECK(hellos[0].parsed().header.type == message_type::unreliable);
    CHECK(texts().empty());  // pings are the engine's
}

TEST_CASE_FIXTURE(quiet_fixture, "ten pings share an answer (RFC 3259 s9.3) [item 112]") {
    for (std::uint32_t number = 1; number <= 10; ++number) feed(number, "U", "()", "mbus.ping()");
    lab.run_for(1s);
    CHECK(lab.captured_with("mbus.hello()").size() == 1);
}

TEST_CASE("after the answer the regular hello starts anew (RFC 3259 s9.3) [item 113]") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        engine_fixture f{{.seed = seed}};
        f.lab.run_for(1s);
        f.feed(1, "U", "()", "mbus.ping()");
        f.lab.clear_capture();
        f.lab.run_for(1001ms);
        f.lab.run_for(5s);
        const auto hellos = f.lab.captured_with("mbus.hello()");
        REQUIRE(hellos.size() >= 3);
        // Regular hellos may come before the answer; after it there are 900 ms at least.
        for (std::size_t index = 2; index < hellos.size(); ++index)
            CHECK(hellos[index].at - hellos[index - 1].at >= (index == 2 ? 0ms : 900ms));
    }
}

TEST_CASE_FIXTURE(quiet_fixture, "a ping asks those that it is addressed to (RFC 3259 s9.3) [item 114]") {
    const auto second = it.attach("(app:second)");
    lab.run_for(1s);
    lab.clear_capture();
    feed(1, "U", "(app:second)", "mbus.ping()");
    lab.run_for(1s);
    const auto hellos = lab.captured_with("mbus.hello()");
    REQUIRE(hellos.size() == 1);
    CHECK(hellos[0].parsed().header.source.text() == it.address_of(second));
}

TEST_CASE_FIXTURE(quiet_fixture,
                  "a local entity's ping is answered by the other local entities too (RFC 3259 s9.3)") {
    const auto second = it.attach("(app:second)");
    lab.run_for(1s);
    lab.clear_capture();
    REQUIRE(it.send(second, "()", "mbus.ping()"));
    lab.run_for(1s);
    const auto hellos = lab.captured_with("mbus.hello()");
    REQUIRE(hellos.size() == 1);
    CHECK(hellos[0].parsed().header.source.text() == own_text);
    CHECK(texts().empty());
}

TEST_CASE_FIXTURE(engine_fixture, "quit is the application's to obey (RFC 3259 s9.4) [item 115]") {
    feed(1, "U", own_text, "mbus.quit()");
    CHECK(texts() == std::vector<std::string>{"mbus.quit()"});
    lab.run_for(2s);
    CHECK(it.node.entities() == 1);
    CHECK(lab.captured_with("mbus.hello()").size() >= 1);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "waiting goes unreliably to all, a group or one (RFC 3259 s9.5) [item 116] [item 117] [item 119]") {
    meet();
    for (std::string_view to : {std::string_view{"()"}, std::string_view{"(app:rat)"}, peer_text})
        REQUIRE(it.send(own, to, "mbus.waiting(ready)"));
    const auto sent = lab.captured_with("mbus.waiting");
    REQUIRE(sent.size() == 3);
    for (const auto& each : sent) CHECK(each.parsed().header.type == message_type::unreliable);
    const auto reliable = it.send(own, peer_text, "mbus.waiting(ready)", true);
    REQUIRE_FALSE(reliable);
    CHECK(reliable.error().code == errc::bad_command);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "waiting may be repeated and go ends it: each is handed to the application (RFC 3259 s9.5) [item 118]") {
    for (std::uint32_t number = 1; number <= 3; ++number) feed(number, "U", own_text, "mbus.waiting(ready)");
    feed(4, "R", own_text, "mbus.go(ready)");
    CHECK(texts().size() == 4);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "waiting and go carry exactly one symbol (RFC 3259 s9.5, s9.6) [item 120]") {
    feed(1, "U", own_text, "mbus.waiting(\"ready\")\r\na.b(1)");
    feed(2, "U", own_text, "mbus.waiting(x y)\r\na.b(2)");
    feed(3, "R", own_text, "mbus.go()\r\na.b(3)");
    CHECK(texts() == std::vector<std::string>{"a.b(1)\r\n", "a.b(2)\r\n", "a.b(3)\r\n"});
    CHECK(drops(drop_reason::bad_mbus_command) == 3);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "hello and waiting share a payload, in any order (RFC 3259 s9.5, trap W11) [item 121]") {
    feed(1, "U", "()", "mbus.waiting(ready)\r\nmbus.hello()");
    CHECK(it.node.entities() == 2);
    CHECK(texts() == std::vector<std::string>{"mbus.waiting(ready)\r\n"});
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "go is sent reliably to the full address of the one that waits (RFC 3259 s9.6) [item 116] [item 122]") {
    meet();
    REQUIRE(it.send(own, "(module:ui)", "mbus.go(ready)", true));
    const auto header = lab.captured_with("mbus.go").front().parsed().header;
    CHECK(header.type == message_type::reliable);
    CHECK(header.destination.text() == address::parse(peer_text)->text());
    const auto unreliable = it.send(own, "(module:ui)", "mbus.go(ready)");
    REQUIRE_FALSE(unreliable);
    CHECK(unreliable.error().code == errc::bad_command);
}

TEST_CASE_FIXTURE(engine_fixture, "several go commands in one payload (RFC 3259 s9.6) [item 123]") {
    feed(1, "R", own_text, "mbus.go(a)\r\nmbus.go(b)\r\n");
    CHECK(texts() == std::vector<std::string>{"mbus.go(a)\r\nmbus.go(b)\r\n"});
    CHECK(it.delivered[0].what->commands == 2);
}
