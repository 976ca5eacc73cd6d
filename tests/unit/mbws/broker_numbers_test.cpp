// Numbers, windows and acknowledgements at the broker (docs/mbws.md, section 4).
#include "broker_lab.hpp"

namespace mbus::mbws::testing {

TEST_CASE("with a window numbers have no gap and no zero; duplicates are acknowledged again (s4)") {
    test_host host;
    test_client client{host};
    client.ready(4, 60);
    SUBCASE("zero") { CHECK(client.message(0) == verdict::closing); }
    SUBCASE("gap") {
        client.message(1);
        CHECK(client.message(3) == verdict::closing);
    }
    SUBCASE("ack of what was never sent") { CHECK(client.send(verb::ack, 1) == verdict::closing); }
    SUBCASE("duplicates") {
        client.message(1);
        client.message(2);
        client.message(1);
        CHECK(host.routed.size() == 2);
        CHECK(client.session().counters().duplicates == 1);
        client.session().advance(start);
        const auto frames = client.frames();
        CHECK(frames.back().view.verb == verb::ack);
        CHECK(frames.back().view.number == 2);
        return;
    }
    CHECK(error_code(client) == "bad-frame");
    CHECK_FALSE(host.sessions.front()->over());  // resumable
}

TEST_CASE("more than the window in flight is error window (s4)") {
    test_host host;
    host.settings.window = 4;
    host.answer = route_status::take_over_later;
    test_client client{host};
    client.ready(4, 60);
    for (std::uint64_t n = 1; n <= 4; ++n) CHECK(client.message(n) == verdict::go_on);
    CHECK(client.message(5) == verdict::closing);
    CHECK(error_code(client) == "window");
}

TEST_CASE("acks are batched: after a quarter of the window or 20 ms (s4)") {
    test_host host;
    host.settings.window = 16;
    test_client client{host};
    client.ready(16, 60);
    for (std::uint64_t n = 1; n <= 3; ++n) client.message(n);
    CHECK(client.frames().empty());
    CHECK(client.session().next_deadline() == start + 20ms);
    client.message(4);
    auto frames = client.frames();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].view.verb == verb::ack);
    CHECK(frames[0].view.number == 4);
    CHECK(client.session().next_deadline() == never);
    client.message(5);
    client.session().advance(start + 19ms);
    CHECK(client.frames().empty());
    client.session().advance(start + 20ms);
    frames = client.frames();
    CHECK(frames.at(0).view.number == 5);
}

TEST_CASE("what is taken over later is acknowledged later, in order (s4)") {
    test_host host;
    host.settings.window = 4;
    host.answer = route_status::take_over_later;
    test_client client{host};
    client.ready(4, 60);
    client.message(1);
    client.message(2);
    client.message(3);
    client.session().take_over(start, 2);
    client.session().advance(start + 1s);
    CHECK(client.frames().empty());
    client.session().take_over(start, 1);
    const auto frames = client.frames();
    CHECK(frames.at(0).view.number == 2);
}

TEST_CASE("the nak of a message is sent before its ack (s4)") {
    test_host host;
    host.settings.window = 4;
    test_client client{host};
    client.connect(1, 60);  // one frame to the client at a time
    client.attach(1, "(app:player)");
    client.frames();
    message_preparer preparer;
    client.session().offer(start, prepared(preparer, "a.b()"), {.slot = 0});
    CHECK(client.frames().size() == 1);  // the client's window is full
    client.message(1);
    client.message(2, "broken(");
    client.message(3);
    client.session().advance(start + 1s);
    auto frames = client.frames(start + 1s);
    for (const auto& frame : frames) {
        CHECK(frame.view.verb == verb::ack);
        CHECK(frame.view.number == 1);
    }
    client.send(verb::ack, 1);
    frames = client.frames(start + 2s);
    REQUIRE(frames.size() >= 2);
    CHECK(frames[0].view.verb == verb::nak);
    CHECK(frames[0].view.number == 2);
    CHECK(frames[0].view.integer(key::about) == 2);
    CHECK(frames[1].view.verb == verb::ack);
    CHECK(frames[1].view.number == 3);
}

TEST_CASE("deliveries, receipts and naks are numbered in one sequence, within the window (s4)") {
    test_host host;
    test_client client{host};
    client.ready(3, 60);
    message_preparer preparer;
    client.session().offer(start, prepared(preparer, "one()"), {.slot = 0});
    client.message(1, "a.b()", flag::receipt);
    client.message(2, "broken(");
    client.session().offer(start, prepared(preparer, "two()"), {.slot = 0});
    auto frames = client.frames();
    std::erase_if(frames, [](const auto& frame) { return frame.view.verb == verb::ack; });
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].view.verb == verb::message);
    CHECK(frames[1].view.verb == verb::receipt);
    CHECK(frames[2].view.verb == verb::nak);
    for (std::size_t i = 0; i < 3; ++i) CHECK(frames[i].view.number == i + 1);
    client.send(verb::ack, 1);
    frames = client.frames();
    std::erase_if(frames, [](const auto& frame) { return frame.view.verb == verb::ack; });
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].view.number == 4);
    CHECK(frames[0].view.body == "two()");
}

TEST_CASE("a client's nak is counted, and numbered like a message (s4)") {
    test_host host;
    test_client client{host};
    client.ready(4, 60);
    frame_view nak;
    nak.verb = verb::nak;
    nak.number = 1;
    nak.set(key::about, std::uint64_t{1}).set(key::code, "overflow");
    CHECK(client.send(nak) == verdict::go_on);
    CHECK(client.session().counters().client_naks == 1);
    CHECK(client.message(2) == verdict::go_on);
}

}  // namespace mbus::mbws::testing
