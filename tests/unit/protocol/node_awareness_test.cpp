// Conformance, items 90 to 104: awareness of other entities (RFC 3259, section 8).
#include <algorithm>

#include "engine_fixture.hpp"

using namespace mbus;
using namespace mbus::lab;
using protocol::peer_state;

namespace {

std::string member(int number) { return "(id:" + std::to_string(number) + "-1@10.9.9.9)"; }

}  // namespace

TEST_CASE_FIXTURE(
    engine_fixture,
    "an entity announces itself after start and periodically (RFC 3259 s8) [item 90] [item 92]") {
    lab.run_for(20s);
    const auto hellos = lab.captured_with("mbus.hello()");
    CHECK(hellos.size() >= 18);
    CHECK(hellos.size() <= 22);
    for (std::size_t index = 1; index < hellos.size(); ++index) {
        CHECK(hellos[index].at - hellos[index - 1].at >= 900ms);
        CHECK(hellos[index].at - hellos[index - 1].at <= 1100ms);
    }
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "the number of members follows joins, byes and timeouts (RFC 3259 s8) [item 91] [item 104]") {
    CHECK(it.node.entities() == 1);
    meet(member(1));
    meet(member(2));
    meet(member(3));
    CHECK(it.node.entities() == 4);
    const auto second = it.attach("(app:second)");
    CHECK(it.node.entities() == 5);
    it.detach(second);
    CHECK(it.node.entities() == 4);
    feed(1001, "U", "()", "mbus.bye()", "()", member(1));
    CHECK(it.node.entities() == 3);
    lab.run_for(6s);
    CHECK(it.node.entities() == 1);
}

TEST_CASE("hellos go on under load, until the entity detaches (RFC 3259 s8) [item 93]") {
    engine_fixture f;
    for (int second = 0; second < 10; ++second) {
        for (int message = 0; message < 200; ++message) REQUIRE(f.it.send(f.own, "()", "a.b()"));
        f.lab.run_for(1s);
    }
    CHECK(f.lab.captured_with("mbus.hello()").size() >= 8);
    f.it.detach(f.own);
    const auto before = f.lab.captured_with("mbus.hello()").size();
    f.lab.run_for(5s);
    CHECK(f.lab.captured_with("mbus.hello()").size() == before);
}

TEST_CASE_FIXTURE(engine_fixture, "a silent peer is gone after 5.5 s (RFC 3259 s8) [item 94]") {
    meet();
    lab.run_for(5499ms);
    CHECK(it.node.entities() == 2);
    lab.run_for(1ms);
    CHECK(it.node.entities() == 1);
    REQUIRE(it.changes.size() == 2);
    CHECK(it.changes[1].state == peer_state::lost);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "any authentic message keeps a known peer, only hello creates one (trap W4)") {
    feed(1, "U", "(x:y)", "a.b()");
    CHECK(it.node.entities() == 1);
    meet();
    lab.run_for(5s);
    feed(2000, "U", "(x:y)", "a.b()");
    lab.run_for(5s);
    CHECK(it.node.entities() == 2);
}

TEST_CASE_FIXTURE(engine_fixture, "a copy of an old hello keeps nobody alive (trap C10)") {
    const auto hello = lab.sealed(message("1", "U", "()", "mbus.hello()"));
    lab.inject_datagram(it, hello);
    lab.run_for(5s);
    lab.inject_datagram(it, hello);
    lab.run_for(1s);
    CHECK(it.node.entities() == 1);
    lab.inject_datagram(it, hello);  // after the timeout as well
    CHECK(it.node.entities() == 1);
    CHECK(drops(drop_reason::duplicate) == 2);
}

TEST_CASE_FIXTURE(engine_fixture, "on bye the sender is removed at once (RFC 3259 s8) [item 95]") {
    meet();
    const auto before = it.node.generation();
    feed(1001, "U", "()", "mbus.bye()");
    CHECK(it.node.entities() == 1);
    REQUIRE(it.changes.size() == 2);
    CHECK(it.changes[0].state == peer_state::joined);
    CHECK(it.changes[1].state == peer_state::left);
    CHECK(it.changes[1].peer == address::parse(peer_text)->text());
    CHECK(it.node.generation() != before);
    CHECK(it.node.match(*address::parse(peer_text)).total() == 0);
}

TEST_CASE_FIXTURE(engine_fixture, "what arrives after the bye brings nobody back (trap W7)") {
    meet();
    feed(1005, "U", "()", "mbus.bye()");
    feed(1004, "U", "()", "mbus.hello()");
    CHECK(it.node.entities() == 1);
    CHECK(drops(drop_reason::late_after_bye) == 1);
    feed(1003, "U", own_text, "a.b()");  // late, but still for us
    CHECK(texts().size() == 1);
    CHECK(it.node.entities() == 1);
}

TEST_CASE_FIXTURE(engine_fixture, "copies that come over another interface after the bye are known") {
    const auto text = lab.sealed(message("1", "U", own_text, "a.b()"));
    const auto bye = lab.sealed(message("2", "U", "()", "mbus.bye()"));
    for (int interfaces = 0; interfaces < 2; ++interfaces) {
        lab.inject_datagram(it, text);
        lab.inject_datagram(it, bye);
    }
    CHECK(texts().size() == 1);
    CHECK(drops(drop_reason::duplicate) == 2);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "an entity that begins anew after its bye is taken for new (traps R3, R9)") {
    meet();
    feed(1001, "U", "()", "mbus.bye()");
    lab.run_for(3s);
    feed(message("0", "U", "()", "mbus.hello()", "()", peer_text, "1700003700000"));
    feed(message("1", "U", own_text, "a.b()", "()", peer_text, "1700003700001"));
    CHECK(it.node.entities() == 2);
    CHECK(texts().size() == 1);
}

TEST_CASE("hello_d counts oneself and every local entity (RFC 3259 s8.1.1, trap W3) [item 96]") {
    engine_fixture f;
    for (int count = 0; count < 9; ++count) f.it.attach("(app:x)");
    f.lab.run_for(30s);
    f.lab.clear_capture();
    f.lab.run_for(20s);  // ten entities, 2 s each
    const auto hellos = f.lab.captured_with("mbus.hello()").size();
    CHECK(hellos >= 85);
    CHECK(hellos <= 110);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "several peers lost in one turn shrink the schedule once (RFC 3259 s8.1.4, trap W6) [item 100]") {
    for (int number = 1; number < 20; ++number) meet(member(number));
    lab.run_for(3s);  // the first hello has passed, the next is 3.6 to 4.4 s after it
    lab.clear_capture();
    for (int number = 1; number < 20; ++number) feed(1001, "U", "()", "mbus.bye()", "()", member(number));
    lab.run_for(1100ms);  // alone again: the interval is 1 s
    CHECK(lab.captured_with("mbus.hello()").size() >= 1);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "the timeout grows with the group: 10 members, 11 s (RFC 3259 s8.2) [item 103]") {
    for (int number = 1; number <= 9; ++number) meet(member(number));
    const auto alive = [&] {
        for (int number = 2; number <= 9; ++number)
            lab.inject(it,
                       engine_fixture::message(std::to_string(2000 + lab.now().now.time_since_epoch() / 1s),
                                               "U", "(x:y)", "a.b()", "()", member(number)));
    };
    for (int second = 0; second < 10; ++second) {
        lab.run_for(1s);
        alive();
    }
    CHECK(it.node.entities() == 10);
    lab.run_for(1s);
    CHECK(it.node.entities() == 9);
    CHECK(it.changes.back().peer == member(1));
    CHECK(it.changes.back().state == peer_state::lost);
}

TEST_CASE("idle, a node wakes up for its hellos only") {
    engine_fixture f;
    f.lab.run_for(5s);
    const auto next = f.it.node.next_deadline();
    CHECK(next > f.lab.now().now);
    CHECK(next - f.lab.now().now <= 1100ms);
    bus_lab empty;
    CHECK(empty.add().node.next_deadline() == protocol::never);
}

TEST_CASE("a node without entities still knows who is on the bus") {
    bus_lab lab;
    auto& it = lab.add();
    lab.inject("mbus/1.0 0 1 U (id:1-1@10.0.0.9) () ()\r\nmbus.hello()\r\n");
    CHECK(it.node.entities() == 1);
    std::size_t visited = 0;
    it.node.for_each_peer([&](const protocol::peer_view& peer) {
        ++visited;
        CHECK(peer.address->text() == "(id:1-1@10.0.0.9)");
        CHECK(peer.unicast_capable);
    });
    CHECK(visited == 1);
}

TEST_CASE("an entity that is attached again goes on counting, and is known again at once (trap W7)") {
    engine_fixture f;
    auto& other = f.lab.add();
    f.lab.run_for(1500ms);
    CHECK(other.node.entities() == 1);
    f.it.detach(f.own);
    f.lab.run_for(10ms);
    CHECK(other.node.entities() == 0);
    const auto bye = f.lab.capture().back().parsed().header.sequence_number;
    const auto again = f.it.attach(own_text);
    f.lab.run_for(1001ms);
    CHECK(other.node.entities() == 1);
    CHECK(f.lab.captured_with("mbus.hello").back().parsed().header.sequence_number > bye);
    CHECK(f.it.address_of(again) == own_text);
}
