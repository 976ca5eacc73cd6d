// Conformance, items 72 to 89: reliable messages (RFC 3259, section 7).
#include "engine_fixture.hpp"

using namespace mbus;
using namespace mbus::lab;

namespace {

using numbers = std::vector<std::uint32_t>;

// When the copies of the message were sent, in ms after the first.
std::vector<std::int64_t> times(const std::vector<captured>& sent) {
    std::vector<std::int64_t> out;
    for (const auto& each : sent)
        out.push_back(
            std::chrono::duration_cast<std::chrono::milliseconds>(each.at - sent.front().at).count());
    return out;
}

}  // namespace

TEST_CASE_FIXTURE(engine_fixture, "R goes to known addresses only (RFC 3259 s7) [item 72]") {
    const auto before = it.send(own, peer_text, "a.b()", true);
    REQUIRE_FALSE(before);
    CHECK(before.error().code == errc::no_match);
    feed(1, "U", "()", "a.b()");  // heard, but never said hello
    CHECK_FALSE(it.send(own, peer_text, "a.b()", true));
    meet();
    CHECK(it.send(own, peer_text, "a.b()", true));
}

TEST_CASE_FIXTURE(engine_fixture,
                  "R to a target that is not unique: an error, nothing on the wire (RFC 3259 s7) [item 73]") {
    meet();
    meet("(id:9-9@10.0.0.9 module:ui)");
    const auto sent = it.send(own, "(module:ui)", "a.b()", true);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == errc::not_unique);
    CHECK(lab.captured_with("a.b").empty());
    CHECK(it.reports.empty());
    // The sender itself counts (trap A5).
    CHECK(it.send(own, "(app:rat)", "a.b()", true).error().code == errc::not_unique);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "R to a subset or to () is neither delivered nor acknowledged (RFC 3259 s7) [item 74]") {
    meet();
    feed(1, "R", "(module:engine)", "a.b()");
    feed(2, "R", "()", "a.b()");
    lab.run_for(1s);
    CHECK(texts().empty());
    CHECK(acks().empty());
    CHECK(drops(drop_reason::reliable_not_exact) == 2);
    feed(3, "R", "( module:engine conf:test   media:audio app:rat id:4711-1@192.168.1.1 )",
         "a.b()");  // any order
    CHECK(texts().size() == 1);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "retransmissions at 100, 300 and 600 ms, the same bytes, failure at 1000 ms (RFC 3259 s7, traps R1, R10) "
    "[item 75] [item 76] [item 77] [item 79] [item 80] [item 88]") {
    meet();
    REQUIRE(it.send(own, "(module:ui)", "a.b()", true, 77));
    lab.run_for(999ms);
    CHECK(it.reports.empty());
    lab.run_for(4s);
    const auto sent = lab.captured_with("a.b");
    CHECK(times(sent) == std::vector<std::int64_t>{0, 100, 300, 600});
    for (const auto& each : sent) CHECK(each.datagram == sent.front().datagram);
    REQUIRE(it.reports.size() == 1);
    CHECK_FALSE(it.reports[0].acknowledged);
    CHECK(it.reports[0].outcome == errc::not_acknowledged);
    CHECK(it.reports[0].token == 77);
    CHECK(it.reports[0].transmissions == 4);
    CHECK(it.reports[0].took == 1000ms);
}

TEST_CASE_FIXTURE(engine_fixture, "an acknowledgement ends the retransmission (RFC 3259 s7) [item 78]") {
    meet();
    REQUIRE(it.send(own, "(module:ui)", "a.b()", true));
    const auto number = lab.captured_with("a.b").front().parsed().header.sequence_number;
    lab.run_for(150ms);
    feed(1, "U", own_text, "", "(" + std::to_string(number) + ")");
    lab.run_for(2s);
    CHECK(times(lab.captured_with("a.b")) == std::vector<std::int64_t>{0, 100});
    REQUIRE(it.reports.size() == 1);
    CHECK(it.reports[0].acknowledged);
    CHECK(it.reports[0].transmissions == 2);
    CHECK(it.reports[0].took == 150ms);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "R goes out with the full address of the one that matched (RFC 3259 s7, trap R2) [item 72]") {
    meet();
    REQUIRE(it.send(own, "(module:ui)", "a.b()", true));
    const auto header = lab.captured_with("a.b").front().parsed().header;
    CHECK(header.type == message_type::reliable);
    CHECK(header.destination.text() == address::parse(peer_text)->text());
}

TEST_CASE_FIXTURE(engine_fixture,
                  "an acknowledgement counts only from the receiver to the sender (trap R5)") {
    meet();
    const auto other = it.attach("(app:other)");
    meet("(id:9-9@10.0.0.9 app:someone)");
    REQUIRE(it.send(own, "(module:ui)", "a.b()", true));
    const auto list =
        "(" + std::to_string(lab.captured_with("a.b").front().parsed().header.sequence_number) + ")";
    feed(1, "U", own_text, "", list, "(id:9-9@10.0.0.9 app:someone)");
    feed(1, "U", "(module:engine)", "", list);
    feed(2, "U", "()", "", list);
    feed(3, "U", it.address_of(other), "", list);
    feed(5, "U", own_text, "", "(4000000000)");
    CHECK(it.reports.empty());
    CHECK(drops(drop_reason::foreign_ack) == 5);
    feed(6, "U", own_text, "", list);
    CHECK(it.reports.size() == 1);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "an acknowledgement is a message to the originator's full address within 70 ms (RFC 3259 s7) "
    "[item 81] [item 83] [item 84] [item 85]") {
    meet();
    feed(5, "R", own_text, "a.b()");
    lab.run_for(69ms);
    CHECK(acks().empty());
    lab.run_for(1ms);
    REQUIRE(acks().size() == 1);
    const auto sent = acks()[0].parsed();
    CHECK(sent.header.type == message_type::unreliable);  // trap R4
    CHECK(sent.header.destination.text() == address::parse(peer_text)->text());
    CHECK(sent.header.acknowledgements == numbers{5});
    CHECK(sent.commands.empty());
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "acknowledgements of a burst share a message; received lists are read (RFC 3259 s7) [item 82]") {
    meet();
    for (std::uint32_t number = 1; number <= 3; ++number) feed(number, "R", own_text, "a.b()");
    lab.run_for(100ms);
    REQUIRE(acks().size() == 1);
    CHECK(acks()[0].parsed().header.acknowledgements == numbers{1, 2, 3});

    REQUIRE(it.send(own, "(module:ui)", "x.y(1)", true));
    REQUIRE(it.send(own, "(module:ui)", "x.y(2)", true));
    const auto first = lab.captured_with("x.y").front().parsed().header.sequence_number;
    feed(9, "U", own_text, "", "(" + std::to_string(first) + " 777 " + std::to_string(first + 1) + ")");
    CHECK(it.reports.size() == 2);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "acknowledgements ride on a message to that peer alone, and TA is cancelled (RFC 3259 s7) [item 83] [item 86]") {
    meet();
    feed(5, "R", own_text, "a.b()");
    REQUIRE(it.send(own, "()", "x.y(1)"));
    REQUIRE(it.send(own, "(module:ui)", "x.y(2)"));  // a subset, though only one matches
    REQUIRE(it.send(own, peer_text, "x.y(3)"));
    lab.run_for(1s);
    const auto sent = lab.captured_with("x.y");
    CHECK(sent[0].parsed().header.acknowledgements.empty());
    CHECK(sent[1].parsed().header.acknowledgements.empty());
    CHECK(sent[2].parsed().header.acknowledgements == numbers{5});
    CHECK(acks().size() == 1);
    CHECK(it.node.counters().acks_piggybacked == 1);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "a repeated R repeats the whole list, and is delivered once (RFC 3259 s7, trap R3) [item 87] [item 89]") {
    meet();
    feed(1, "R", own_text, "a.b(1)");
    feed(2, "R", own_text, "a.b(2)");
    lab.run_for(100ms);
    feed(1, "R", own_text, "a.b(1)");
    lab.run_for(100ms);
    REQUIRE(acks().size() == 2);
    CHECK(acks()[1].parsed().header.acknowledgements == numbers{1, 2});
    CHECK(texts() == std::vector<std::string>{"a.b(1)", "a.b(2)"});
    CHECK(drops(drop_reason::duplicate) == 1);
    lab.run_for(5s);
    meet();
    feed(1, "R", own_text, "a.b(1)");  // much later, the copy list is gone
    lab.run_for(100ms);
    CHECK(acks().back().parsed().header.acknowledgements == numbers{1});
    CHECK(texts().size() == 2);
}

TEST_CASE_FIXTURE(engine_fixture, "copies of U messages are dropped too (trap R3)") {
    feed(1, "U", own_text, "a.b()");
    feed(1, "U", own_text, "a.b()");
    CHECK(texts().size() == 1);
    CHECK(drops(drop_reason::duplicate) == 1);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "R from an unknown sender is delivered, and acknowledged by multicast (trap R6)") {
    feed(1, "R", own_text, "a.b()");
    feed(1, "R", own_text, "a.b()");
    lab.run_for(100ms);
    CHECK(texts().size() == 1);
    REQUIRE(acks().size() == 1);
    CHECK(acks()[0].group);
    CHECK(it.node.entities() == 1);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "what its receiver refused is not acknowledged; the retransmission gets another chance") {
    meet();
    it.taking = false;
    feed(1, "R", own_text, "a.b()");
    lab.run_for(200ms);
    CHECK(acks().empty());
    CHECK(drops(drop_reason::queue_full) == 1);
    it.taking = true;
    feed(1, "R", own_text, "a.b()");
    lab.run_for(200ms);
    CHECK(texts().size() == 1);
    CHECK(acks().size() == 1);
}

TEST_CASE_FIXTURE(engine_fixture, "an R message without commands is delivered as an empty payload") {
    feed(1, "R", own_text, "");
    lab.run_for(100ms);
    CHECK(texts() == std::vector<std::string>{""});
    CHECK(acks().size() == 1);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "a peer's bye fails what is pending to it at once, its timeout does not (trap R11)") {
    meet();
    REQUIRE(it.send(own, "(module:ui)", "a.b()", true, 1));
    lab.run_for(50ms);
    feed(1001, "U", "()", "mbus.bye()");
    REQUIRE(it.reports.size() == 1);
    CHECK(it.reports[0].outcome == errc::left);
    lab.run_for(2s);
    CHECK(lab.captured_with("a.b").size() == 1);
    CHECK(it.reports.size() == 1);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "after its peer's timeout a pending message still gets its last chance (trap R11)") {
    meet();
    lab.run_for(5450ms);
    REQUIRE(it.send(own, "(module:ui)", "a.b()", true));
    lab.run_for(100ms);
    CHECK(it.node.entities() == 1);
    CHECK(it.reports.empty());
    const auto number = lab.captured_with("a.b").front().parsed().header.sequence_number;
    feed(2000, "U", own_text, "", "(" + std::to_string(number) + ")");
    REQUIRE(it.reports.size() == 1);
    CHECK(it.reports[0].acknowledged);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "a reliable message between local entities is reported at once and stays off the bus") {
    const auto second = it.attach("(app:second)");
    REQUIRE(it.send(own, "(app:second)", "a.b()", true, 3));
    CHECK(it.texts_for(second).size() == 1);
    REQUIRE(it.reports.size() == 1);
    CHECK(it.reports[0].acknowledged);
    CHECK(it.reports[0].by.text() == it.address_of(second));
    CHECK(lab.captured_with("a.b").empty());

    it.taking = false;
    REQUIRE(it.send(own, "(app:second)", "a.b()", true, 4));
    REQUIRE(it.reports.size() == 2);
    CHECK_FALSE(it.reports[1].acknowledged);
    CHECK(it.reports[1].outcome == errc::overflow);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "detaching ends pending sends and sends owed acknowledgements before the bye") {
    meet();
    REQUIRE(it.send(own, "(module:ui)", "a.b()", true, 1));
    feed(5, "R", own_text, "a.b()");
    it.detach(own);
    REQUIRE(it.reports.size() == 1);
    CHECK(it.reports[0].outcome == errc::left);
    REQUIRE(acks().size() == 1);
    CHECK(lab.capture().back().message.ends_with("mbus.bye()\r\n"));
    lab.run_for(2s);
    CHECK(it.reports.size() == 1);
}

TEST_CASE_FIXTURE(engine_fixture, "an orderly shutdown reports every pending send once") {
    meet();
    for (protocol::send_token token = 0; token < 10; ++token)
        REQUIRE(it.send(own, "(module:ui)", "a.b()", true, token));
    it.detach_all();
    CHECK(it.reports.size() == 10);
    for (const auto& each : it.reports) CHECK(each.outcome == errc::shutting_down);
}

TEST_CASE("destroying a node reports every pending send once") {
    struct owner final : protocol::node_events {
        bool deliver(entity_handle, const std::shared_ptr<const protocol::inbound>&) override { return true; }
        void observed(const std::shared_ptr<const protocol::inbound>&) override {}
        void sent(const protocol::send_report& report) override { outcomes.push_back(report.outcome); }
        void peer_changed(const protocol::peer_view&, protocol::peer_state) override {}
        std::vector<errc> outcomes;
    } events;
    bus_lab lab;
    const instant at = lab.now();
    {
        auto keys = protocol::envelope::create(lab_session());
        protocol::node it{{.host_id = "10.0.0.1"}, std::move(*keys), events};
        const auto own = it.attach(at, *address::parse("(app:x)"), 1);
        it.receive(at, lab.sealed("mbus/1.0 0 1 U (id:1-1@10.0.0.2) () ()\r\nmbus.hello()\r\n"),
                   make_endpoint(2, 50002));
        const auto to = *address::parse("(id:1-1@10.0.0.2)");
        REQUIRE(it.send(
            at, {.from = *own, .destination = &to, .payload = "a.b()", .commands = 1, .reliable = true}));
    }
    CHECK(events.outcomes == std::vector{errc::shutting_down});
}

TEST_CASE("with the modern profile a retransmission is sealed anew") {
    engine_fixture f{{.cipher = protocol::cipher_algorithm::xchacha20_poly1305,
                      .hash = protocol::hash_algorithm::hmac_sha256_128}};
    f.meet();
    REQUIRE(f.it.send(f.own, "(module:ui)", "a.b()", true));
    f.lab.run_for(2s);
    const auto sent = f.lab.captured_with("a.b");
    REQUIRE(sent.size() == 4);
    CHECK(sent[0].message == sent[1].message);
    CHECK(sent[0].datagram != sent[1].datagram);
}

TEST_CASE("too many pending sends are refused, and the limit is the entity's") {
    engine_fixture f;
    f.meet();
    std::size_t accepted = 0;
    result<protocol::match_result> last = protocol::match_result{};
    while (accepted < 100'000 && (last = f.it.send(f.own, "(module:ui)", "a.b()", true))) ++accepted;
    CHECK(accepted == 1024);
    CHECK(last.error().code == errc::overflow);
    f.lab.run_for(2s);
    CHECK(f.it.reports.size() == 1024);
    f.meet();
    CHECK(f.it.send(f.own, "(module:ui)", "a.b()", true));
}
