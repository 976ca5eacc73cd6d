// What becomes of a client's messages at the broker: sources, refusals, receipts (docs/mbws.md, section 4).
#include "broker_lab.hpp"

namespace mbus::mbws::testing {

TEST_CASE("a message is routed with the oldest entity as source, or the one it names (s2.4)") {
    test_host host;
    test_client client{host};
    client.ready();
    client.attach(2, "(app:second)");
    client.message(0);
    client.message(0, "a.b()", 0, "(id:1-2@127.0.0.1 app:second)");
    client.message(0, "a.b()", 0, "(id:1-2@127.0.0.1 app:second)");
    REQUIRE(host.routed.size() == 3);
    CHECK(host.routed[0].from == "(app:player id:1-1@127.0.0.1)");
    CHECK(host.routed[1].from == "(app:second id:1-2@127.0.0.1)");
    CHECK(host.routed[2].from == "(app:second id:1-2@127.0.0.1)");
    CHECK(host.routed[0].first_command == "a.b");
    client.send(request(verb::detach, 3).set(key::about, std::uint64_t{1}));
    client.message(0);
    CHECK(host.routed.at(3).from == "(app:second id:1-2@127.0.0.1)");
    client.message(1, "a.b()", flag::receipt, "(app:second)");
    client.message(2, "a.b()", flag::receipt, "(app:player id:1-1@127.0.0.1)");
    client.message(3, "a.b()", flag::receipt, "(app");
    CHECK(host.routed.size() == 4);
    const auto frames = client.frames();
    REQUIRE(frames.size() == 5);
    CHECK(frames[2].text(key::code) == "forbidden");
    CHECK(frames[3].text(key::code) == "forbidden");
    CHECK(frames[4].text(key::code) == "bad-address");
}

TEST_CASE("a message that is refused gets a nak and is delivered nowhere (s4)") {
    test_host host;
    test_client client{host};
    client.connect();
    client.frames();
    client.message(1);
    CHECK(client.frames().at(0).text(key::code) == "no-entity");
    client.attach(1, "(app:player)");
    client.message(2, "broken(", flag::reliable);
    client.message(3, "mbus.hello()");
    frame_view nameless;
    nameless.verb = verb::message;
    nameless.number = 4;
    client.send(nameless);
    client.send(nameless.set(key::to, "()").set(key::type, "nonsense"));
    CHECK(host.routed.empty());
    const auto frames = client.frames();
    REQUIRE(frames.size() == 5);
    for (std::size_t i = 1; i < 4; ++i) CHECK(frames[i].view.verb == verb::nak);
    CHECK(frames[1].text(key::code) == "bad-command");
    CHECK(frames[1].view.integer(key::about) == 2);
    CHECK(frames[1].view.number == 0);
    CHECK(frames[2].text(key::code) == "bad-command");
    CHECK(frames[3].text(key::code) == "bad-address");
    CHECK(frames[4].view.verb == verb::error);  // number 4 again: numbers must rise
    CHECK(host.sessions.front()->counters().refused == 4);
}

TEST_CASE("an unnumbered message that is refused is counted (s4, window 0)") {
    test_host host;
    test_client client{host};
    client.ready();
    client.message(0, "broken(");
    CHECK(client.frames().empty());
    CHECK(client.session().counters().refused == 1);
}

TEST_CASE("opaque bodies are passed on unchecked, ttl becomes a time (s2.5, s4)") {
    test_host host;
    test_client client{host};
    client.ready();
    frame_view frame;
    frame.verb = verb::message;
    frame.set(key::to, "()").set(key::type, "image/png").set(key::ttl, std::uint64_t{1500});
    frame.body = "\x89PNG(";
    client.send(frame);
    REQUIRE(host.routed.size() == 1);
    CHECK(host.routed[0].type == "image/png");
    CHECK(host.routed[0].body == "\x89PNG(");
    CHECK(host.routed[0].expires == start + 1500ms);
}

TEST_CASE("receipts: matched, or code and text; for reliable also who, tries and time (s4)") {
    test_host host;
    test_client client{host};
    client.ready();
    host.report.matched = 2;
    client.message(5, "a.b()", flag::receipt);
    auto frames = client.frames();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].view.verb == verb::receipt);
    CHECK(frames[0].view.integer(key::about) == 5);
    CHECK(frames[0].view.integer(key::matched) == 2);
    CHECK_FALSE(frames[0].view.has(key::code));
    client.message(6, "a.b()");
    CHECK(client.frames().empty());
    host.report.failed = true;
    host.report.code = errc::no_match;
    host.report.text = "nobody answers to (app:player)";
    client.message(7, "a.b()", flag::reliable);
    frames = client.frames();
    CHECK(frames.at(0).view.verb == verb::receipt);
    CHECK(frames.at(0).text(key::code) == "no-match");
    host.report = {};
    host.answer = route_status::receipt_later;
    client.message(8, "a.b()", flag::reliable);
    CHECK(client.frames().empty());
    CHECK(client.session().receipts_waiting() == 1);
    route_report done;
    done.matched = 1;
    done.entity = "(app:player id:2-1@10.0.0.2)";
    done.tried = 2;
    done.took = 130;
    client.session().receipt(8, done);
    frames = client.frames();
    CHECK(frames.at(0).text(key::entity) == "(app:player id:2-1@10.0.0.2)");
    CHECK(frames.at(0).view.integer(key::tried) == 2);
    CHECK(frames.at(0).view.integer(key::took) == 130);
    CHECK(client.session().receipts_waiting() == 0);
}

TEST_CASE("no input is wanted while 65536 receipts wait (s4)") {
    test_host host;
    test_client client{host};
    client.ready();
    host.answer = route_status::receipt_later;
    for (std::uint64_t n = 1; n <= receipts_waiting_max; ++n) client.message(n, "", flag::receipt);
    CHECK_FALSE(client.connection.wants_input());
    client.session().receipt(1, {});
    CHECK(client.port.reads == 1);
    CHECK(client.connection.wants_input());
}

TEST_CASE("a client that does not read its answers is not read either") {
    test_host host;
    test_client client{host};
    client.ready();
    frame_view ping;
    ping.verb = verb::ping;
    const std::string body(64, 'x');
    ping.body = body;
    std::size_t sent = 0;
    while (client.connection.wants_input() && sent < 1000000) client.send(ping), ++sent;
    CHECK(sent < 100000);
    CHECK(client.port.frames().size() == sent);
    client.connection.fill(start);
    CHECK(client.port.reads == 1);
}

}  // namespace mbus::mbws::testing
