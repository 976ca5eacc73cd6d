// Runs of messages in a broker's session: queued and sent as they came, and never told from single messages by
// what the client gets (docs/mbws.md, sections 4 and 5).
#include <rapidcheck.h>

#include "run_lab.hpp"

namespace mbus::mbws::testing {
namespace {

frame_view ack(std::uint64_t number) {
    frame_view out;
    out.verb = verb::ack;
    out.number = number;
    return out;
}

}  // namespace

TEST_CASE("given window 0 and a reader that keeps up, then a run goes out at once, and its addresses only once") {
    run_lab lab{0};
    CHECK(lab.offer(bodies_from(1, 3)) == offer_result::taken);
    CHECK(lab.session().queued_messages() == 0);
    CHECK(lab.read() == strings{"n(1)", "n(2)", "n(3)"});
    const auto first = lab.last_octets;
    lab.offer(bodies_from(1, 3));
    CHECK(lab.read() == strings{"n(1)", "n(2)", "n(3)"});
    CHECK(first - lab.last_octets == 3 + run_to.size() + 3 + run_from.size());
    CHECK(lab.in_one_piece == 2);
    CHECK(lab.session().counters().delivered == 6);
    for (const auto& way : lab.ways) CHECK(way == std::string{run_from} + " -> " + std::string{run_to});
}

TEST_CASE("given a window smaller than the run, then it goes out in pieces, in order and gapless (s4)") {
    run_lab lab{3};
    lab.offer(bodies_from(1, 8));
    CHECK(lab.in_one_piece == 1);
    CHECK(lab.session().queued_messages() == 8);
    CHECK(lab.read() == strings{"1 n(1)", "2 n(2)", "3 n(3)"});
    CHECK(lab.read().empty());
    lab.client->send(ack(3));
    CHECK(lab.read() == strings{"4 n(4)", "5 n(5)", "6 n(6)"});
    lab.client->send(ack(6));
    CHECK(lab.read() == strings{"7 n(7)", "8 n(8)"});
    lab.client->send(ack(8));
    CHECK(lab.session().queued_messages() == 0);
    CHECK(lab.session().queued_octets() == 0);
    CHECK(lab.session().counters().delivered == 8);
    CHECK(lab.session().last_number() == 8);
}

TEST_CASE("an acknowledgement in the middle of a run frees what it covers, and the window moves so far (s4)") {
    run_lab lab{4};
    lab.offer(bodies_from(1, 6));
    CHECK(lab.read().size() == 4);
    const auto octets = lab.session().queued_octets();
    lab.client->send(ack(1));
    CHECK(lab.session().queued_messages() == 5);
    CHECK(lab.session().queued_octets() == octets / 6 * 5);
    CHECK(lab.read() == strings{"5 n(5)"});
    lab.client->send(ack(1));  // again: nothing more
    CHECK(lab.session().queued_messages() == 5);
    lab.client->send(ack(4));
    CHECK(lab.read() == strings{"6 n(6)"});
    lab.client->send(ack(6));
    CHECK(lab.session().queued_octets() == 0);
}

TEST_CASE("an acknowledgement of what a run has not sent yet is a fault (s4)") {
    run_lab lab{2};
    lab.offer(bodies_from(1, 5));
    CHECK(lab.read().size() == 2);
    CHECK(lab.client->send(ack(3)) == verdict::closing);
}

TEST_CASE("given a resume in the middle of a run, then it goes on exactly there (s4)") {
    run_lab lab{5};
    lab.offer(bodies_from(1, 8));
    CHECK(lab.read().size() == 5);
    lab.client->send(ack(2));
    CHECK(lab.read() == strings{"6 n(6)", "7 n(7)"});
    lab.resume(3, 5);
    CHECK(lab.read() == strings{"4 n(4) again", "5 n(5) again", "6 n(6) again", "7 n(7) again", "8 n(8)"});
    lab.client->send(ack(8));
    CHECK(lab.session().queued_messages() == 0);
    CHECK(lab.session().counters().delivered == 8);
    CHECK(lab.session().counters().redelivered == 4);
    CHECK(lab.ways.back() == std::string{run_from} + " -> " + std::string{run_to});
}

TEST_CASE("given a resume with a smaller window, then what was sent before is cut to it (s4)") {
    run_lab lab{8};
    lab.offer(bodies_from(1, 8));
    CHECK(lab.read().size() == 8);
    lab.resume(1, 3);
    CHECK(lab.read() == strings{"2 n(2) again", "3 n(3) again", "4 n(4) again"});
    lab.client->send(ack(3));
    CHECK(lab.read() == strings{"5 n(5) again", "6 n(6) again"});
    lab.resume(3, 2);
    CHECK(lab.read() == strings{"4 n(4) again", "5 n(5) again"});
    lab.client->send(ack(5));
    lab.offer(bodies_from(9, 2));
    CHECK(lab.read() == strings{"6 n(6) again", "7 n(7) again"});
    lab.client->send(ack(7));
    CHECK(lab.read() == strings{"8 n(8) again", "9 n(9)"});
    lab.client->send(ack(9));
    CHECK(lab.read() == strings{"10 n(10)"});
    lab.client->send(ack(10));
    CHECK(lab.session().queued_octets() == 0);
}

TEST_CASE("a resume that names what a run has not sent, or what was acknowledged, is none (s4)") {
    run_lab lab{4};
    lab.offer(bodies_from(1, 6));
    CHECK(lab.read().size() == 4);
    lab.client->send(ack(2));
    CHECK_FALSE(lab.session().can_resume(1));
    CHECK(lab.session().can_resume(2));
    CHECK(lab.session().can_resume(4));
    CHECK_FALSE(lab.session().can_resume(5));
}

TEST_CASE("what was missed is told once, with the first message of the run that follows (s5)") {
    for (const std::uint32_t window : {0U, 10U}) {
        CAPTURE(window);
        run_lab lab{window};
        lab.session().dropped_by_host();
        lab.session().dropped_by_host();
        lab.offer(bodies_from(1, 3));
        CHECK(lab.in_one_piece == 1);
        lab.offer(bodies_from(4, 1));
        auto lines = lab.read();
        REQUIRE(lines.size() == 4);
        CHECK(lines[0].ends_with("n(1) missed 2"));
        for (std::size_t i = 1; i < lines.size(); ++i) CHECK(lines[i].find("missed") == std::string::npos);
        if (window == 0) continue;
        // It belongs to that message: with it, it comes again.
        lab.resume(0, 10);
        lines = lab.read();
        REQUIRE(lines.size() == 4);
        CHECK(lines[0] == "1 n(1) again missed 2");
        CHECK(lines[1] == "2 n(2) again");
    }
}

TEST_CASE("drop-oldest takes single messages out of a run that waits (s5)") {
    run_lab lab{10, "", 5};
    lab.offer(bodies_from(1, 4));
    CHECK(lab.in_one_piece == 1);
    for (const char* body : {"a()", "b()", "c()"}) CHECK(lab.offer_one(body) == offer_result::taken);
    CHECK(lab.session().queued_messages() == 5);
    CHECK(lab.dropped(session_drop::oldest) == 2);
    CHECK(lab.read() == strings{"1 n(3) missed 2", "2 n(4)", "3 a()", "4 b()", "5 c()"});
    lab.client->send(ack(5));
    CHECK(lab.session().queued_octets() == 0);
}

TEST_CASE("a run that does not fit is dropped message by message, as the policy says (s5)") {
    SUBCASE("drop-oldest") {
        run_lab lab{10, "drop-oldest", 5};
        lab.offer(bodies_from(1, 4));
        lab.offer(bodies_from(5, 3));
        CHECK(lab.in_one_piece == 1);
        CHECK(lab.dropped(session_drop::oldest) == 2);
        CHECK(lab.read() == strings{"1 n(3) missed 2", "2 n(4)", "3 n(5)", "4 n(6)", "5 n(7)"});
    }
    SUBCASE("drop-oldest leaves alone what was sent") {
        run_lab lab{2, "drop-oldest", 5};
        lab.offer(bodies_from(1, 5));
        CHECK(lab.read() == strings{"1 n(1)", "2 n(2)"});
        lab.offer(bodies_from(6, 2));
        CHECK(lab.dropped(session_drop::oldest) == 2);
        lab.client->send(ack(2));
        CHECK(lab.read() == strings{"3 n(5) missed 2", "4 n(6)"});
        lab.client->send(ack(4));
        CHECK(lab.read() == strings{"5 n(7)"});
    }
    SUBCASE("drop-newest") {
        run_lab lab{10, "drop-newest", 5};
        lab.offer(bodies_from(1, 4));
        lab.offer(bodies_from(5, 3));
        CHECK(lab.dropped(session_drop::newest) == 2);
        CHECK(lab.read() == strings{"1 n(1) missed 2", "2 n(2)", "3 n(3)", "4 n(4)", "5 n(5)"});
    }
    SUBCASE("disconnect") {
        run_lab lab{10, "disconnect", 5};
        lab.offer(bodies_from(1, 4));
        lab.offer(bodies_from(5, 3));
        CHECK(lab.dropped(session_drop::disconnect) == 2);
        static_cast<void>(lab.read());
        CHECK(lab.others.back() == "error");
        CHECK(lab.client->port.finished());
        CHECK_FALSE(lab.session().over());
    }
    SUBCASE("block, by one who can't wait") {
        run_lab lab{10, "block", 5};
        lab.offer(bodies_from(1, 4));
        lab.offer(bodies_from(5, 3));
        CHECK(lab.dropped(session_drop::newest) == 2);
    }
}

TEST_CASE("a reliable message finds no room beside a run that was sent, and takes it from one that was not (s5)") {
    run_lab lab{3, "", 4};
    lab.offer(bodies_from(1, 4));
    CHECK(lab.read().size() == 3);
    CHECK(lab.offer_one("r1()", false, true) == offer_result::taken);
    CHECK(lab.dropped(session_drop::oldest) == 1);
    CHECK(lab.offer_one("r2()", false, true) == offer_result::refused);
    lab.client->send(ack(3));
    CHECK(lab.read() == strings{"4 r1() reliable missed 1"});
}

TEST_CASE("policy block makes the sender of a run wait until there is room (s5)") {
    run_lab lab{2000, "block", 4000};
    REQUIRE(lab.offer(bodies_from(1, 2000), true) == offer_result::taken);
    REQUIRE(lab.offer(bodies_from(2001, 100), true) == offer_result::taken);
    CHECK(lab.offer(bodies_from(2101, 100), true) == offer_result::wait);  // block_unsent_max wait unsent
    CHECK(lab.in_one_piece == 2);  // the third was looked at message by message
    CHECK(lab.host.rooms == 0);
    CHECK(lab.read().size() == 2000);
    CHECK(lab.host.rooms == 1);
    lab.client->send(ack(2000));
    CHECK(lab.read().size() == 200);
    CHECK(lab.session().counters().dropped_total() == 0);
}

TEST_CASE("a run that would overfill the queue of policy block is taken, and its sender waits (s5)") {
    run_lab lab{2, "block", 3};
    REQUIRE(lab.offer(bodies_from(1, 3), true) == offer_result::taken);
    CHECK(lab.offer(bodies_from(4, 2), true) == offer_result::wait);
    strings all;
    for (std::uint64_t done = 0; done < 5;) {
        for (auto& line : lab.read()) all.push_back(std::move(line));
        done = all.size();
        lab.client->send(ack(done));
    }
    CHECK(all == strings{"1 n(1)", "2 n(2)", "3 n(3)", "4 n(4)", "5 n(5)"});
    CHECK(lab.host.rooms == 1);
}

TEST_CASE("who takes no runs: policy latest, several attaches, nobody connected, a client without numbers") {
    SUBCASE("latest") {
        run_lab lab{4, "latest", 3};
        CHECK_FALSE(lab.session().takes_runs(0));
        lab.offer({"gain(1)", "mute(1)", "gain(2)", "gain(3)"});
        CHECK(lab.read() == strings{"1 gain(1) missed 1", "2 mute(1)", "3 gain(3)"});
    }
    SUBCASE("several attaches") {
        run_lab lab{4};
        lab.client->attach(2, "(app:second)");
        CHECK_FALSE(lab.session().takes_runs(0));
        frame_view detach;
        detach.verb = verb::detach;
        detach.set(key::request, std::uint64_t{3}).set(key::about, std::uint64_t{2});
        lab.client->send(detach);
        CHECK(lab.session().takes_runs(0));
        CHECK_FALSE(lab.session().takes_runs(7));
    }
    SUBCASE("nobody connected") {
        run_lab lab{4};
        lab.client->connection.lost(start);
        CHECK_FALSE(lab.session().takes_runs(0));
        lab.offer(bodies_from(1, 2));
        CHECK(lab.in_one_piece == 0);
        CHECK(lab.session().queued_messages() == 2);
    }
    SUBCASE("no numbers, or other numbers than the broker's") {
        for (const std::uint16_t remembered : {std::uint16_t{0}, std::uint16_t{64}, std::uint16_t{1024}}) {
            run_lab lab{4};
            lab.client->port.remembers(remembered);
            CHECK_FALSE(lab.session().takes_runs(0));
        }
    }
    SUBCASE("too much at once") {
        run_lab lab{4, "", 5};
        lab.offer(bodies_from(1, 6));
        CHECK(lab.in_one_piece == 0);
    }
}

TEST_CASE("given a run that waits, when another entity is attached, then each message names its own (s2.4)") {
    for (const std::uint32_t window : {0U, 10U}) {
        CAPTURE(window);
        run_lab lab{window};
        const std::string filler(15000, 'x');
        for (int i = 0; i < 30; ++i) lab.offer({"filler(\"" + filler + "\")"});  // the output is full
        lab.offer(bodies_from(1, 2));
        lab.client->attach(2, "(app:second)");
        strings lines;
        for (auto more = lab.read(); !more.empty(); more = lab.read()) {
            for (auto& line : more) lines.push_back(std::move(line));
            if (window != 0) lab.client->send(ack(lines.size()));
        }
        REQUIRE(lines.size() == 32);
        const std::string number = window == 0 ? "" : "31 ";
        CHECK(lines[30] == number + "n(1) for (app:player id:1-1@127.0.0.1)");
        CHECK(lines[31].ends_with("n(2) for (app:player id:1-1@127.0.0.1)"));
        CHECK(lab.session().queued_octets() == 0);
    }
}

TEST_CASE("a run that waits when its attach goes is still delivered; its slot is free after that") {
    run_lab lab{2};
    lab.offer(bodies_from(1, 5));
    CHECK(lab.read().size() == 2);
    frame_view detach;
    detach.verb = verb::detach;
    detach.set(key::request, std::uint64_t{5}).set(key::about, std::uint64_t{1});
    lab.client->send(detach);
    lab.client->attach(6, "(app:new)");
    CHECK(lab.session().find_attachment(1) != nullptr);  // slot 0 is still in use
    lab.client->send(ack(1));
    CHECK(lab.read() == strings{"3 n(3)"});
    lab.client->send(ack(3));
    CHECK(lab.read() == strings{"4 n(4)", "5 n(5)"});
    lab.client->send(ack(5));
    lab.client->attach(7, "(app:newer)");
    CHECK(lab.session().find_attachment(0) != nullptr);
}

TEST_CASE("what waits of a run when its session ends is counted message by message (promise 1)") {
    run_lab lab{4};
    lab.offer(bodies_from(1, 6));
    CHECK(lab.read().size() == 4);
    lab.client->send(ack(1));
    lab.client->connection.lost(start);
    lab.session().advance(start + 60s);
    CHECK(lab.dropped(session_drop::ended) == 5);
    CHECK(lab.session().queued_octets() == 0);
}

TEST_CASE("receipts, reliable messages and runs keep their order (s4)") {
    run_lab lab{20};
    lab.offer(bodies_from(1, 2));
    lab.client->message(1, "x()", flag::receipt);
    lab.offer_one("r()", false, true);
    lab.offer(bodies_from(3, 2));
    CHECK(lab.read() == strings{"1 n(1)", "2 n(2)", "4 r() reliable", "5 n(3)", "6 n(4)"});
    CHECK(lab.others.back() == "receipt");
    lab.client->send(ack(5));
    CHECK(lab.session().queued_messages() == 1);
    CHECK(lab.session().receipts_waiting() == 0);
}

TEST_CASE("with window 0 a run that the output can't take waits in its place (s5)") {
    run_lab lab{0};
    const std::string filler(1000, 'x');
    int offered = 0;
    for (int i = 0; i < 20; ++i) {
        strings bodies;
        for (int j = 0; j < 100; ++j) bodies.push_back("n(" + std::to_string(offered++) + " \"" + filler + "\")");
        lab.offer(bodies);
        lab.offer_one("n(" + std::to_string(offered++) + ")");
    }
    CHECK(lab.session().queued_messages() > 1000);
    int next = 0;
    for (auto lines = lab.read(50000); !lines.empty(); lines = lab.read(50000)) {
        for (const auto& line : lines) {
            const auto begin = "n(" + std::to_string(next++);
            REQUIRE((line.starts_with(begin + " ") || line == begin + ")"));
        }
    }
    CHECK(next == offered);
    CHECK(lab.session().counters().delivered == static_cast<std::uint64_t>(offered));
    CHECK(lab.session().queued_octets() == 0);
}

// --- the same, whatever happens ---------------------------------------------------------------

namespace {

struct step {
    enum class kind : std::uint8_t { run, one, reliable, read, acknowledge, resume, host_drop } what;
    int amount;
};

rc::Gen<step> any_step() {
    return rc::gen::construct<step>(
        rc::gen::weightedElement<step::kind>({{8, step::kind::run},
                                              {3, step::kind::one},
                                              {1, step::kind::reliable},
                                              {5, step::kind::read},
                                              {6, step::kind::acknowledge},
                                              {1, step::kind::resume},
                                              {1, step::kind::host_drop}}),
        rc::gen::inRange(0, 12));
}

// Plays a story; `together`: offers come as runs.
struct play {
    run_lab lab;
    bool together;
    strings diary{};
    int offered = 0;
    std::uint64_t came = 0;
    std::uint64_t acknowledged = 0;

    void offer(int count, bool reliable) {
        const auto bodies = bodies_from(offered, count);
        offered += count;
        offer_result last = offer_result::taken;
        if (together && count > 0 && !reliable) last = lab.offer(bodies);
        else for (const auto& body : bodies) last = lab.offer_one(body, false, reliable);
        if (reliable) diary.push_back("offered " + std::to_string(static_cast<int>(last)));
    }
    void read() {
        for (auto& line : lab.read()) {
            came = std::max<std::uint64_t>(came, std::stoull(line));
            diary.push_back(std::move(line));
        }
    }
    void act(const step& next) {
        switch (next.what) {
        case step::kind::run: return offer(next.amount, false);
        case step::kind::one: return offer(1, false);
        case step::kind::reliable: return offer(1, true);
        case step::kind::read: return read();
        case step::kind::host_drop: return lab.session().dropped_by_host();
        case step::kind::acknowledge:
            acknowledged += std::min(came - acknowledged, static_cast<std::uint64_t>(next.amount));
            lab.client->send(ack(acknowledged));
            return;
        case step::kind::resume:
            acknowledged += std::min(came - acknowledged, static_cast<std::uint64_t>(next.amount / 2));
            lab.resume(acknowledged, static_cast<std::uint32_t>(1 + next.amount));
            return;
        }
    }
    // Until nothing waits any more.
    void finish() {
        for (read(); lab.session().queued_messages() > 0; read()) {
            acknowledged = came;
            lab.client->send(ack(acknowledged));
        }
        const auto& counters = lab.session().counters();
        diary.push_back("delivered " + std::to_string(counters.delivered));
        diary.push_back("redelivered " + std::to_string(counters.redelivered));
        for (const auto n : counters.dropped) diary.push_back("dropped " + std::to_string(n));
        diary.push_back("octets " + std::to_string(lab.session().queued_octets()));
    }
};

}  // namespace

TEST_CASE("whatever happens, a client with a window gets the same from runs as from single messages") {
    CHECK(rc::check("runs and single messages", [] {
        const auto window = static_cast<std::uint32_t>(*rc::gen::inRange(1, 20));
        const auto queue = static_cast<std::size_t>(*rc::gen::inRange(1, 40));
        const std::string policy = *rc::gen::element<std::string>("drop-oldest", "drop-newest", "latest", "block");
        const auto story = *rc::gen::container<std::vector<step>>(any_step());
        play runs{run_lab{window, policy, queue}, true};
        play singles{run_lab{window, policy, queue}, false};
        for (const auto& next : story) {
            runs.act(next);
            singles.act(next);
            RC_ASSERT(runs.lab.session().queued_messages() == singles.lab.session().queued_messages());
        }
        runs.finish();
        singles.finish();
        RC_ASSERT(runs.diary == singles.diary);
    }));
}

}  // namespace mbus::mbws::testing
