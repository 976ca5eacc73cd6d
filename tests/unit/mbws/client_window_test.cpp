// What a client sends and takes: numbers, window, acknowledgements, results (docs/mbws.md, section 4).
#include "client_lab.hpp"

namespace mbus::mbws::testing {

TEST_CASE(
    "given a job that is given back, its nak is numbered like a message, and its ack waits for that of the nak (s4)") {
    scripted client{4};
    client.session.connect(start);
    client.output();
    client.connected();
    client.told.handled = false;
    client.numbered(verb::message, 1, "job (1)");
    client.session.refuse(1);
    auto frames = client.output();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].view.verb == verb::nak);
    CHECK(frames[0].view.number == 1);
    CHECK(frames[0].view.integer(key::about) == 1);
    client.told.take();
    client.numbered(verb::ack, 1);
    CHECK(client.told.take() == strings{"heard 1"});
    client.session.take_over(start, 1);
    client.session.advance(start + 1s);
    frames = client.output();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].view.verb == verb::ack);
    CHECK(frames[0].view.number == 1);
}

TEST_CASE("window 0: only messages that want a result have a number, and end once (s4)") {
    scripted client;
    client.session.connect(start);
    client.connected(false, 0, 0);
    client.output();
    client.told.take();
    client.send();
    const auto second = client.send(true);
    const auto third = client.send(true);
    const auto frames = client.output();
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].view.number == 0);
    CHECK(frames[1].view.number != 0);
    CHECK(frames[2].view.number > frames[1].view.number);
    CHECK(frames[1].view.receipt_wanted());
    client.numbered(verb::receipt, 0, {}, frames[1].view.number);
    client.numbered(verb::receipt, 0, {}, frames[1].view.number);  // not again
    client.numbered(verb::nak, 0, {}, frames[2].view.number, "bad-command");
    CHECK(client.told.take() == strings{"result " + std::to_string(second) + " ok 0",
                                        "result " + std::to_string(third) + " bad-command"});
    CHECK(client.session.open_results() == 0);
}

TEST_CASE("messages before the connection wait for it (s3)") {
    scripted client;
    const auto token = client.send(true);
    client.session.connect(start);
    CHECK(client.verbs() == strings{"connect"});
    client.connected(false, 0, 0);
    const auto frames = client.output();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].view.number == token);
    CHECK(client.session.waiting_octets() == 0);
}

TEST_CASE("a window limits what is in flight, acks let more pass (s4)") {
    scripted client{8};
    client.session.connect(start);
    client.connected(false, 0, 2);
    client.output();
    for (int i = 0; i < 3; ++i) client.send();
    auto frames = client.output();
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].view.number == 1);
    CHECK(frames[1].view.number == 2);
    client.numbered(verb::ack, 1);
    frames = client.output();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].view.number == 3);
    CHECK(client.session.unacknowledged() == 2);
    client.told.take();
    client.numbered(verb::ack, 3);
    CHECK(client.told.take() == strings{"taken 3"});
    CHECK_FALSE(client.numbered(verb::ack, 4));
    CHECK(client.told.take() == strings{"fault bad-frame again"});
}

TEST_CASE("what is handled is acknowledged in batches or after 20 ms (s4)") {
    scripted client{8};
    client.session.connect(start);
    client.connected();
    client.output();
    client.numbered(verb::message, 1, "one()");
    CHECK(client.output().empty());
    CHECK(client.session.next_deadline() == start + 20ms);
    client.numbered(verb::message, 2, "two()");
    auto frames = client.output();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].view.verb == verb::ack);
    CHECK(frames[0].view.number == 2);
    client.numbered(verb::message, 3, "three()");
    client.session.advance(start + 20ms);
    frames = client.output();
    CHECK(frames.at(0).view.number == 3);
}

TEST_CASE("what the application handles later is acknowledged later (s4)") {
    scripted client{4};
    client.told.handled = false;
    client.session.connect(start);
    client.connected();
    client.output();
    client.numbered(verb::message, 1, "one()");
    client.numbered(verb::message, 2, "two()");
    client.session.advance(start + 1s);
    CHECK(client.output().empty());
    client.session.take_over(start, 1);
    CHECK(client.output().at(0).view.number == 1);
    client.told.handled = true;
    client.numbered(verb::message, 3, "three()");
    CHECK(client.output().empty());  // 2 is not handled yet
    client.session.take_over(start, 2);
    CHECK(client.output().at(0).view.number == 3);
}

TEST_CASE("the refusal of a message that wanted no result is told, too (s4)") {
    scripted client{4};
    client.session.connect(start);
    client.connected();
    const auto token = client.send();
    client.told.take();
    client.numbered(verb::nak, 1, {}, 1, "forbidden");
    CHECK(client.told.take() == strings{"result " + std::to_string(token) + " forbidden"});
}

TEST_CASE("missed, expired ones and entities reach the application (s4, s5)") {
    scripted client{4};
    client.session.connect(start);
    client.connected();
    client.told.take();
    frame_view frame;
    frame.verb = verb::message;
    frame.number = 1;
    frame.body = "one()";
    client.receive(frame.set(key::missed, std::uint64_t{7}));
    client.numbered(verb::message, 2, {}, 0, "expired");
    frame_view entity;
    entity.verb = verb::entity;
    entity.set(key::request, std::uint64_t{3}).set(key::entity, "(app:x)").set(key::state, "lost");
    client.receive(entity);
    CHECK(client.told.take() == strings{"missed 7", "message one()", "missed 1", "entity 3 (app:x) lost"});
}

}  // namespace mbus::mbws::testing
