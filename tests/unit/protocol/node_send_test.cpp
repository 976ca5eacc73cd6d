// Sending: coalescing, local delivery, limits, the legacy dialect.
#include "engine_fixture.hpp"

using namespace mbus;
using namespace mbus::lab;

namespace {

// Sends without ending the turn: nothing is sealed in between.
void queue(engine_fixture& f, entity_handle from, std::string_view to, std::string_view payload,
           bool may_coalesce = true) {
    const auto destination = *address::parse(to);
    REQUIRE(f.it.node.send(f.lab.now(), {.from = from,
                                         .destination = &destination,
                                         .payload = payload,
                                         .commands = 1,
                                         .may_coalesce = may_coalesce}));
}

std::vector<std::string> payloads(const std::vector<captured>& sent) {
    std::vector<std::string> out;
    for (const auto& each : sent) out.push_back(each.message.substr(each.message.find('\n') + 1));
    return out;
}

using texts_t = std::vector<std::string>;

}  // namespace

TEST_CASE("two nodes meet, and a reliable message is acknowledged [item 48]") {
    bus_lab lab;
    auto& a = lab.add();
    auto& b = lab.add();
    const auto ui = a.attach("(app:ui)");
    const auto player = b.attach("(app:player)");
    lab.run_for(1500ms);
    REQUIRE(a.changes.size() == 1);
    CHECK(a.node.entities() == 2);

    REQUIRE(a.send(ui, "(app:player)", "demo.text(\"hi\")", true, 5));
    lab.run_for(100ms);

    CHECK(b.texts_for(player) == texts_t{"demo.text(\"hi\")\r\n"});
    REQUIRE(a.reports.size() == 1);
    CHECK(a.reports[0].acknowledged);
    CHECK(a.reports[0].token == 5);
    CHECK(a.reports[0].by.text() == b.address_of(player));
}

TEST_CASE_FIXTURE(engine_fixture, "messages of one turn to one destination share a datagram, in order") {
    queue(*this, own, "(x:y)", "a.b(1)");
    queue(*this, own, "(x:y)", "a.b(2)");
    queue(*this, own, "(x:y)", "a.b(3)");
    lab.turn(it);
    CHECK(payloads(sent()) == texts_t{"a.b(1)\r\na.b(2)\r\na.b(3)\r\n"});
    CHECK(it.node.counters().coalesced == 2);
    queue(*this, own, "(x:y)", "a.b(4)");  // the next turn
    lab.turn(it);
    CHECK(sent().size() == 2);
}

TEST_CASE_FIXTURE(engine_fixture, "another destination in between keeps the order: no joining past it") {
    queue(*this, own, "(x:y)", "a.b(1)");
    queue(*this, own, "(x:z)", "a.b(2)");
    queue(*this, own, "(x:y)", "a.b(3)");
    lab.turn(it);
    CHECK(payloads(sent()) == texts_t{"a.b(1)\r\n", "a.b(2)\r\n", "a.b(3)\r\n"});
}

TEST_CASE_FIXTURE(engine_fixture, "what must travel alone travels alone") {
    meet();
    queue(*this, own, "(x:y)", "a.b(1)");
    queue(*this, own, "(x:y)", "a.b(2)", false);
    queue(*this, own, "(x:y)", "a.b(3)");
    queue(*this, own, "(x:y)", "mbus.quit()");
    queue(*this, own, "(x:y)", "a.b(4)");
    lab.turn(it);
    CHECK(sent().size() == 5);
}

TEST_CASE_FIXTURE(engine_fixture, "a datagram grows up to the budget of the link") {
    it.node.set_datagram_budget(1472);
    const std::string text = "a.b(\"" + std::string(500, 'x') + "\")";
    for (int count = 0; count < 4; ++count) queue(*this, own, "(x:y)", text);
    lab.turn(it);
    CHECK(sent().size() == 2);
    for (const auto& each : sent()) CHECK(each.datagram.size() <= 1472);
}

TEST_CASE("coalescing can be switched off") {
    engine_fixture f{{}, {.coalesce = false}};
    queue(f, f.own, "(x:y)", "a.b(1)");
    queue(f, f.own, "(x:y)", "a.b(2)");
    f.lab.turn(f.it);
    CHECK(f.sent().size() == 2);
}

TEST_CASE_FIXTURE(engine_fixture, "an entity that detaches in the same turn leaves its datagrams whole") {
    queue(*this, own, "(x:y)", "a.b(1)");
    it.detach(own);
    CHECK(payloads(lab.capture()) == texts_t{"a.b(1)\r\n", "mbus.bye()\r\n"});
}

TEST_CASE_FIXTURE(engine_fixture,
                  "local receivers get the message at once, others hear it too; the sender does not") {
    const auto second = it.attach("(app:second kind:shared)");
    const auto third = it.attach("(app:third kind:shared)");
    const auto sent_to = it.send(own, "(kind:shared)", "a.b()");
    REQUIRE(sent_to);
    CHECK(sent_to->local == std::vector{second, third});
    CHECK(it.texts_for(second).size() == 1);
    CHECK(it.texts_for(third).size() == 1);
    CHECK(lab.captured_with("a.b").size() == 1);
    const auto all = it.send(own, "()", "a.b()");
    CHECK(all->local.size() == 2);
    CHECK(texts().empty());
}

TEST_CASE_FIXTURE(engine_fixture, "a full address that is local goes no further") {
    const auto second = it.attach("(app:second)");
    const auto done = it.send(own, it.address_of(second), "a.b()");
    CHECK(done->complete);
    CHECK(it.texts_for(second).size() == 1);
    CHECK(lab.captured_with("a.b").empty());
}

TEST_CASE_FIXTURE(engine_fixture, "transmit() is the bus half alone") {
    const auto second = it.attach("(app:second)");
    const auto everyone = *address::parse("()");
    REQUIRE(it.node.transmit(lab.now(),
                             {.from = own, .destination = &everyone, .payload = "a.b()", .commands = 1}));
    lab.turn(it);
    CHECK(lab.captured_with("a.b").size() == 1);
    CHECK(it.texts_for(second).empty());
}

TEST_CASE_FIXTURE(engine_fixture, "a command that was checked before goes out as any other") {
    const auto everyone = *address::parse("()");
    const auto before = it.node.counters().commands_out;
    for (const std::size_t bare_name_octets : {std::size_t{0}, std::size_t{3}}) {
        REQUIRE(it.node.transmit(lab.now(), {.from = own,
                                             .destination = &everyone,
                                             .payload = "a.b(1 \"z\")",
                                             .commands = 1,
                                             .bare_name_octets = bare_name_octets}));
        lab.turn(it);
    }
    CHECK(it.node.counters().commands_out == before + 2);
    CHECK(payloads(lab.captured_with("a.b")) == texts_t{"a.b(1 \"z\")\r\n", "a.b(1 \"z\")\r\n"});
}

TEST_CASE_FIXTURE(engine_fixture, "a detached sender is an error") {
    it.detach(own);
    CHECK(it.send(own, "()", "a.b()").error().code == errc::no_entity);
    CHECK(it.node.address_of(own) == nullptr);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "when nothing is drained the queue refuses at its limit, and goes on afterwards") {
    const std::string text = "a.b(\"" + std::string(60000, 'x') + "\")";
    const auto everyone = *address::parse("()");
    const auto send = [&] {
        return it.node.send(lab.now(),
                            {.from = own, .destination = &everyone, .payload = text, .commands = 1});
    };
    std::size_t accepted = 0;
    while (accepted < 10'000 && send()) ++accepted;
    CHECK(accepted > 200);
    CHECK(accepted < 300);
    CHECK(send().error().code == errc::overflow);
    lab.turn(it);
    CHECK(send());
}

TEST_CASE("the legacy dialect: what UCL, rat-common, libgmbus and Java MBus all understand") {
    engine_fixture f{{.hash = protocol::hash_algorithm::hmac_md5_96},
                     {.writing = dialect::legacy, .legacy = true, .first_sequence_number = 999999}};
    f.meet();
    REQUIRE(f.it.send(f.own, "()", "a.b(1 (2) \"x\")\r\nc.d()"));
    f.feed(7, "R", own_text, "a.b (1 )\n");
    f.lab.run_for(1500ms);
    CHECK(payloads(f.lab.captured_with("a.b")) == texts_t{"a.b (1 (2 ) \"x\" )\nc.d ()\n"});
    CHECK(f.lab.captured_with("a.b").front().parsed().header.sequence_number == 999999);
    for (const auto& each : f.lab.captured_with("mbus.hello"))
        CHECK(payloads({each}) == texts_t{"mbus.hello ()\n"});
    REQUIRE(f.acks().size() == 1);
    CHECK(f.acks()[0].message.ends_with(" (7 )\n"));
    CHECK(f.lab.capture().back().parsed().header.sequence_number < 100);
    for (const auto& each : f.lab.capture()) CHECK(each.message.find('\r') == std::string::npos);
    const std::string large = "a.b(\"" + std::string(1300, 'x') + "\")";
    CHECK(f.it.send(f.own, "()", large).error().code == errc::too_large);
}

TEST_CASE("the legacy dialect reads R to a subset that one of ours answers to, and lower-case types") {
    engine_fixture f{{}, {.legacy = true}};
    f.feed(1, "R", "(module:engine)", "a.b(1)");
    f.feed(2, "r", own_text, "a.b(2)");
    f.feed(3, "U", own_text, "mbus.waiting (\"ready\" )");
    f.it.attach("(app:other)");
    f.feed(4, "R", "()", "a.b(3)");
    CHECK(f.texts().size() == 3);
    CHECK(f.drops(drop_reason::reliable_not_exact) == 1);
    f.lab.run_for(100ms);
    REQUIRE(f.acks().size() == 1);
    CHECK(f.acks()[0].parsed().header.acknowledgements == std::vector<std::uint32_t>{1, 2});
}

TEST_CASE_FIXTURE(engine_fixture, "monitors observe what is for others, unless nobody wants it") {
    feed(1, "U", "(x:y)", "a.b()");
    CHECK(it.heard.size() == 1);
    it.node.observe(false);
    feed(2, "U", "(x:y)", "a.b()");
    CHECK(it.heard.size() == 1);
    CHECK(drops(drop_reason::not_for_us) == 2);
}
