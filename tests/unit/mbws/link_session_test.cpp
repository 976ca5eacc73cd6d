// Links between brokers (docs/mbws.md, section 9), both ends in one process.
#include <random>

#include "link_lab.hpp"

using namespace mbus;
using namespace mbus::mbws;
using namespace mbus::mbws::testing;

namespace {

// A lab with `(app:ui id:...)` of the caller and `(app:player id:...)` of the callee attached.
struct linked_lab : link_lab {
    explicit linked_lab(std::uint32_t window = 256) {
        caller.options.window = callee.options.window = window;
        caller.ours = {of("(app:ui id:1-1@10.0.0.1)")};
        callee.ours = {of("(app:player id:1-1@10.0.0.2)")};
        connect();
        settle();
    }
};

}  // namespace

TEST_CASE("both ends of a link attach entities at the other (docs/mbws.md s9)") {
    linked_lab lab;
    CHECK(lab.caller.link->state() == link_state::active);
    CHECK(lab.caller.link->peer_broker() == high_broker);
    CHECK(lab.callee.link->peer_broker() == low_broker);
    REQUIRE(lab.callee.hosted.size() == 1);
    CHECK(lab.callee.hosted.begin()->second == "(app:ui id:1-1@10.0.0.1)");
    REQUIRE(lab.caller.hosted.size() == 1);
    CHECK(lab.caller.hosted.begin()->second == "(app:player id:1-1@10.0.0.2)");
}

TEST_CASE("messages go both ways over a link, with from unchanged, via and origin") {
    linked_lab lab;
    CHECK(lab.send(lab.caller, "a.b(1)") == offer_result::taken);
    CHECK(lab.send(lab.callee, "c.d(2)", false, 0, "(app:player id:1-1@10.0.0.2)") == offer_result::taken);
    lab.settle();
    REQUIRE(lab.callee.arrived.size() == 1);
    CHECK(lab.callee.arrived[0].from == "(app:ui id:1-1@10.0.0.1)");
    CHECK(lab.callee.arrived[0].body == "a.b(1)");
    CHECK(lab.callee.arrived[0].via == low_broker);
    CHECK(lab.callee.arrived[0].origin == "o:1");
    REQUIRE(lab.caller.arrived.size() == 1);
    CHECK(lab.caller.arrived[0].body == "c.d(2)");
}

TEST_CASE("a message from an entity that is not attached on the link is refused") {
    linked_lab lab;
    lab.send(lab.caller, "a.b()", true, 7, "(app:other id:9-9@10.0.0.1)");
    lab.settle();
    CHECK(lab.callee.arrived.empty());
    REQUIRE(lab.caller.outcomes.contains(7));
    CHECK(lab.caller.outcomes[7].code == errc::forbidden);
    CHECK(lab.caller.link->counters().naks == 1);
}

TEST_CASE("mbus.ping does not cross a link") {
    linked_lab lab;
    lab.send(lab.caller, "mbus.ping()", true, 3);
    lab.settle();
    CHECK(lab.callee.arrived.empty());
    CHECK(lab.caller.outcomes[3].code == errc::bad_command);
}

TEST_CASE("the receipt from the link is the outcome of a reliable message") {
    linked_lab lab;
    lab.send(lab.caller, "a.b()", true, 1);
    lab.settle();
    REQUIRE(lab.caller.outcomes.contains(1));
    CHECK_FALSE(lab.caller.outcomes[1].failed);
    CHECK(lab.caller.outcomes[1].entity == "(app:player)");
}

TEST_CASE("without a receipt within 10 s a reliable message is not acknowledged, and a late receipt is dropped") {
    linked_lab lab;
    lab.callee.answer = route_status::receipt_later;
    lab.send(lab.caller, "a.b()", true, 1);
    lab.settle();
    lab.advance(9999ms);
    CHECK(lab.caller.outcomes.empty());
    lab.advance(1ms);
    REQUIRE(lab.caller.outcomes.contains(1));
    CHECK(lab.caller.outcomes[1].code == errc::not_acknowledged);
    lab.callee.link->receipt(lab.now, lab.callee.open_numbers.at(0), {.matched = 1, .entity = "(app:player)"});
    lab.settle();
    CHECK(lab.caller.outcome_count[1] == 1);
    CHECK(lab.caller.link->counters().late == 1);
}

TEST_CASE("an entity that goes is detached after the messages it sent have arrived") {
    linked_lab lab{1};
    for (int i = 0; i < 5; ++i) lab.send(lab.caller, "a.b(" + std::to_string(i) + ")");
    lab.caller.link->detach(lab.now, of("(app:ui id:1-1@10.0.0.1)"));
    for (int i = 0; i < 30; ++i) {
        lab.settle();
        lab.advance(20ms);
    }
    CHECK(lab.callee.arrived.size() == 5);
    CHECK(lab.callee.link->counters().refused == 0);
    CHECK(lab.callee.hosted.empty());
}

TEST_CASE("an entity that comes back before its detach was answered is attached again") {
    linked_lab lab;
    const auto who = of("(app:ui id:1-1@10.0.0.1)");
    lab.caller.link->detach(lab.now, who);
    lab.caller.link->attach(lab.now, who);
    lab.settle();
    CHECK(lab.callee.hosted.size() == 1);
    CHECK(lab.caller.link->attached(who.text()));
}

TEST_CASE("an entity that the other side refuses is reported, the link stays") {
    linked_lab lab;
    lab.caller.link->attach(lab.now, of("(app:unwanted id:3-3@10.0.0.1)"));
    lab.settle();
    CHECK(lab.caller.refused == std::vector<std::string>{"(app:unwanted id:3-3@10.0.0.1)"});
    CHECK(lab.caller.link->state() == link_state::active);
    CHECK_FALSE(lab.caller.link->attached("(app:unwanted id:3-3@10.0.0.1)"));
}

TEST_CASE("never more than the window is in flight (docs/mbws.md s4)") {
    linked_lab lab{4};
    for (int i = 0; i < 10; ++i) lab.send(lab.caller, "a.b(" + std::to_string(i) + ")");
    lab.caller.link->fill(lab.now);
    CHECK(lab.caller.link->counters().sent == 4);
    for (int i = 0; i < 10; ++i) {
        lab.settle();
        lab.advance(20ms);
    }
    CHECK(lab.callee.arrived.size() == 10);
}

TEST_CASE("the queue of a link drops the oldest unreliable messages and refuses reliable ones when only those are left") {
    link_lab lab;
    lab.caller.options.queue_messages_max = 4;
    lab.caller.ours = {of("(app:ui id:1-1@10.0.0.1)")};
    lab.connect();
    lab.settle();
    lab.cut();
    for (int i = 0; i < 6; ++i) CHECK(lab.send(lab.caller, "a.b(" + std::to_string(i) + ")") == offer_result::taken);
    CHECK(lab.caller.link->counters().dropped_queue == 2);
    for (std::uint64_t i = 1; i <= 4; ++i) CHECK(lab.send(lab.caller, "r.r()", true, i) == offer_result::taken);
    CHECK(lab.send(lab.caller, "r.r()", true, 5) == offer_result::refused);
    CHECK(lab.send(lab.caller, "a.b(6)") == offer_result::dropped);
    CHECK(lab.caller.link->counters().overflowed == 1);
    lab.connect();
    lab.settle();
    CHECK(lab.callee.arrived.size() == 4);
    CHECK(lab.caller.outcomes.size() == 4);
}

TEST_CASE("a called broker that stands by: the caller closes, nobody attaches (docs/mbws.md s9)") {
    link_lab lab;
    lab.callee.standby = true;
    lab.caller.ours = {of("(app:ui id:1-1@10.0.0.1)")};
    lab.callee.ours = {of("(app:player id:1-1@10.0.0.2)")};
    lab.connect();
    lab.settle();
    CHECK(lab.caller.ups == 0);
    CHECK(lab.callee.ups == 0);
    CHECK(lab.caller.hosted.empty());
    CHECK(lab.callee.hosted.empty());
    REQUIRE(lab.caller.ends.size() == 1);
    CHECK(lab.caller.ends[0].code == errc::conflict);
    REQUIRE(lab.callee.ends.size() == 1);
    // Later the other path has gone.
    lab.callee.standby = false;
    lab.connect();
    lab.settle();
    CHECK(lab.caller.hosted.size() == 1);
    CHECK(lab.callee.hosted.size() == 1);
}

TEST_CASE("a link that closes detaches all on both sides") {
    linked_lab lab;
    lab.callee.link->close(lab.now, {errc::conflict, "two links lead to one bus"});
    lab.settle();
    CHECK(lab.caller.hosted.empty());
    CHECK(lab.callee.hosted.empty());
    REQUIRE(lab.caller.ends.size() == 1);
    CHECK(lab.caller.ends[0].code == errc::disconnected);
    REQUIRE(lab.callee.ends.size() == 1);
    CHECK(lab.callee.ends[0].code == errc::conflict);
}

TEST_CASE("a link without the right is refused and the caller is told why") {
    link_lab lab;
    lab.callee.refuse = true;
    lab.connect();
    lab.settle();
    REQUIRE(lab.caller.ends.size() == 1);
    CHECK(lab.caller.ends[0].code == errc::forbidden);
    CHECK(lab.caller.ends[0].text.find("--link") != std::string::npos);
}

TEST_CASE("a silent link is pinged after 25 s and given up after 60 s") {
    linked_lab lab;
    lab.advance(25s);
    lab.settle();
    lab.advance(34s);
    CHECK(lab.caller.link->connected());
    lab.cut();
    lab.connect();
    lab.settle();
    CHECK(lab.caller.resumed == 1);
    lab.advance(60s);
    CHECK_FALSE(lab.caller.link->connected());
    CHECK(lab.caller.link->state() == link_state::lost);
    CHECK(lab.caller.link->last_fault().code == errc::no_session);
}

TEST_CASE("a link that stays away for longer than its expiry ends: entities go, senders are told") {
    linked_lab lab;
    lab.cut();
    lab.send(lab.caller, "a.b()", true, 1);
    lab.send(lab.caller, "a.b()");
    lab.advance(60s);
    CHECK(lab.caller.hosted.empty());
    CHECK(lab.callee.hosted.empty());
    CHECK(lab.caller.outcomes[1].code == errc::not_acknowledged);
    CHECK(lab.caller.link->counters().dropped_ended == 1);
    lab.connect();
    lab.settle();
    CHECK(lab.caller.ups == 2);
    CHECK(lab.callee.hosted.size() == 1);
}

TEST_CASE("a lost session begins anew: entities are attached again, unacknowledged messages are not repeated") {
    linked_lab lab;
    lab.callee.answer = route_status::receipt_later;
    lab.send(lab.caller, "a.b()", true, 1);
    lab.settle();
    lab.cut();
    lab.callee.link->end(lab.now, {errc::internal, "restarted"});
    lab.connect();
    lab.settle();
    CHECK(lab.caller.outcomes[1].code == errc::not_acknowledged);
    CHECK(lab.callee.arrived.size() == 1);
    CHECK(lab.callee.hosted.size() == 1);
    CHECK(lab.caller.hosted.size() == 1);
}

TEST_CASE("a message in 0 octets of window, skipped numbers and acks of nothing close the connection, not the session") {
    linked_lab lab;
    frame_view frame;
    frame.verb = verb::ack;
    frame.number = 99;
    CHECK(lab.callee.link->handle(lab.now, frame) == verdict::closing);
    CHECK(lab.callee.link->state() == link_state::lost);
    lab.cut();
    lab.connect();
    lab.settle();
    CHECK(lab.caller.resumed == 1);
    frame.clear();
    frame.verb = verb::message;
    frame.number = 5;
    CHECK(lab.callee.link->handle(lab.now, frame) == verdict::closing);
    CHECK(lab.callee.link->last_fault().code == errc::bad_frame);
}

// The property: whatever is cut, and wherever, every message arrives exactly once and in order, every
// reliable one has one outcome, and at the end both sides host what the other attached.
TEST_CASE("links resume exactly once, however often they are cut") {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
        linked_lab lab{1 + pick(40)};
        int sent_near = 0;
        int sent_far = 0;
        std::uint64_t tokens = 0;
        std::set<std::string> shown{"(app:ui id:1-1@10.0.0.1)"};
        for (int step = 0; step < 400; ++step) {
            switch (pick(8)) {
            case 0:
            case 1:
                lab.send(lab.caller, "near.n(" + std::to_string(sent_near++) + ")", pick(2) == 0, ++tokens);
                break;
            case 2:
                lab.send(lab.callee, "far.n(" + std::to_string(sent_far++) + ")", pick(2) == 0, 100000 + ++tokens,
                         "(app:player id:1-1@10.0.0.2)");
                break;
            case 3: {
                const std::string who = "(app:guest id:5-" + std::to_string(pick(4)) + "@10.0.0.1)";
                if (shown.insert(who).second) {
                    lab.caller.link->attach(lab.now, of(who));
                } else {
                    shown.erase(who);
                    lab.caller.link->detach(lab.now, of(who));
                }
                break;
            }
            case 4:
                if (pick(6) == 0) lab.cut();
                break;
            case 5: lab.advance(std::chrono::milliseconds{pick(15)}); break;
            default:
                if (!lab.connected()) lab.connect();
                lab.move(1 + pick(300));
                break;
            }
        }
        for (int i = 0; i < 300; ++i) {
            if (!lab.connected()) lab.connect();
            lab.settle();
            lab.advance(20ms);
        }
        REQUIRE(lab.callee.arrived.size() == static_cast<std::size_t>(sent_near));
        REQUIRE(lab.caller.arrived.size() == static_cast<std::size_t>(sent_far));
        for (int i = 0; i < sent_near; ++i)
            REQUIRE(lab.callee.arrived[static_cast<std::size_t>(i)].body == "near.n(" + std::to_string(i) + ")");
        for (int i = 0; i < sent_far; ++i)
            REQUIRE(lab.caller.arrived[static_cast<std::size_t>(i)].body == "far.n(" + std::to_string(i) + ")");
        for (const auto* end : {&lab.caller, &lab.callee}) {
            for (const auto& [token, count] : end->outcome_count) REQUIRE(count == 1);
            for (const auto& [token, outcome] : end->outcomes) REQUIRE_FALSE(outcome.failed);
            REQUIRE(end->ends.empty());
            REQUIRE(end->link->queued_messages() == 0);
        }
        std::set<std::string> there;
        for (const auto& [handle, entity] : lab.callee.hosted) there.insert(entity);
        REQUIRE(there == shown);
        REQUIRE(lab.caller.link->counters().resumes == static_cast<std::uint64_t>(lab.caller.resumed));
    }
}
