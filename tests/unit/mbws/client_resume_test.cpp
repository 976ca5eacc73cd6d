// A client whose connection breaks: what is sent again, made again and forgotten (docs/mbws.md, section 3).
#include "client_lab.hpp"

namespace mbus::mbws::testing {

TEST_CASE("given a session that is lost, the jobs that were to be given back in it are forgotten") {
    scripted client{4};
    client.session.connect(start);
    client.output();
    client.connected();
    client.told.handled = false;
    client.numbered(verb::message, 1, "job (1)");
    client.session.refuse(1);
    client.output();
    client.session.lost(start);
    client.session.refuse(1);
    client.send();
    client.session.connect(start);
    client.output();
    client.told.take();
    client.connected();
    CHECK(client.told.take() == strings{"connected"});
    CHECK(client.verbs() == strings{"message"});
}

TEST_CASE("given a nak whose connection broke, it is sent again after the resume (s3)") {
    scripted client{4};
    client.session.connect(start);
    client.output();
    client.connected();
    client.told.handled = false;
    client.numbered(verb::message, 1, "job (1)");
    client.session.refuse(1);
    client.output();
    client.session.lost(start);
    client.session.connect(start);
    auto frames = client.output();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].view.integer(key::received) == 0);
    client.connected(true);
    frames = client.output();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].view.verb == verb::nak);
    CHECK(frames[0].view.number == 1);
    CHECK(frames[0].view.redelivered());
}

TEST_CASE("window 0: a broken connection ends open results; attaches and watches are made again (s3)") {
    scripted client;
    client.session.connect(start);
    client.session.attach({.entity = "(app:ui)"});
    client.session.watch("()");
    client.connected(false, 0, 0);
    client.answer(verb::ok, 1, "(app:ui id:1-1@h)");
    client.answer(verb::ok, 2);
    client.send(true);
    client.output();
    client.told.take();
    client.session.lost(start);
    CHECK(client.told.take() == strings{"result 1 disconnected"});
    client.session.connect(start + 1s);
    CHECK(client.told.take() == strings{"restarted 2"});
    CHECK(client.verbs() == strings{"connect", "attach", "watch"});
    client.connected(false, 0, 0);
    client.answer(verb::ok, 1, "(app:ui id:1-2@h)");
    CHECK(client.told.take() == strings{"connected", "attached 1 (app:ui id:1-2@h)"});
}

TEST_CASE("resume: connect names the session, the rest is sent again, duplicates are dropped (s3)") {
    scripted client{4};
    client.session.attach({.entity = "(app:ui)"});
    client.session.connect(start);
    client.connected();
    client.answer(verb::ok, 1, "(app:ui id:1-1@h)");
    for (int i = 0; i < 3; ++i) client.send();
    client.numbered(verb::message, 1, "one()");
    client.output();
    client.told.take();
    client.session.lost(start);
    const auto late = client.session.attach({.entity = "(app:late)"});
    client.session.connect(start + 1s);
    auto frames = client.output();
    REQUIRE(frames.size() == 2);  // the unanswered request follows at once
    CHECK(frames[0].text(key::session) == "0123456789abcdef0123456789abcdef");
    CHECK(frames[0].view.integer(key::received) == 1);
    CHECK(frames[1].view.integer(key::request) == late);
    client.connected(true, 2);
    frames = client.output();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].view.number == 3);
    CHECK(frames[0].view.redelivered());
    CHECK(client.told.take() == strings{"taken 2", "connected resumed"});
    client.numbered(verb::message, 1, "one()");
    CHECK(client.told.take().empty());
    CHECK(client.session.duplicates() == 1);
    client.session.advance(start + 1s);
    CHECK(client.output().at(0).view.number == 1);
}

TEST_CASE(
    "resumed: no: the fate of what was sent is unknown, what waited goes out, attaches are made again (s3)") {
    scripted client{4};
    client.session.attach({.entity = "(app:ui)"});
    client.session.connect(start);
    client.connected(false, 0, 2);
    client.answer(verb::ok, 1, "(app:ui id:1-1@h)");
    client.numbered(verb::message, 1, "one()");
    client.send(true);  // 1: will be taken over, its receipt is lost
    client.numbered(verb::ack, 1);
    client.send();      // 2: in flight
    client.send(true);  // 3: in flight
    client.send();      // 4: waits for the window
    client.output();
    client.told.take();
    client.session.lost(start);
    client.session.connect(start + 1s);
    client.output();
    client.connected(false, 0, 2);
    CHECK(client.told.take() ==
          strings{"result 1 disconnected", "result 2 disconnected", "result 3 disconnected", "connected"});
    const auto frames = client.output();
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].view.verb == verb::attach);
    CHECK(frames[1].view.verb == verb::message);
    CHECK(frames[1].view.number == 1);
    CHECK_FALSE(frames[1].view.redelivered());
    CHECK(client.numbered(verb::message, 1, "new()"));  // numbers from 1 again
    CHECK(client.told.take() == strings{"message new()"});
}

TEST_CASE("detach and its attach are forgotten together; repeated ones count as done (s3)") {
    scripted client{4};
    const auto attach = client.session.attach({.entity = "(app:ui)"});
    client.session.connect(start);
    client.connected();
    client.answer(verb::ok, attach, "(app:ui id:1-1@h)");
    const auto detach = client.session.detach(attach);
    client.told.take();
    client.session.lost(start);
    client.session.connect(start + 1s);
    client.output();
    client.connected(true);
    client.answer(verb::nak, detach, {}, "not-found");  // it was done before the connection broke
    CHECK(client.told.take() == strings{"connected resumed", "done " + std::to_string(detach)});
    client.session.lost(start);
    client.session.connect(start + 2s);
    CHECK(client.verbs() == strings{"connect"});
}

}  // namespace mbus::mbws::testing
