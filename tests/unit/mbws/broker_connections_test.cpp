// A session and its connections: expiry, resume, takeover, silence (docs/mbws.md, sections 3, 6 and 7).
#include "broker_lab.hpp"

namespace mbus::mbws::testing {

TEST_CASE("with expiry 0 the session ends with its connection (s3)") {
    test_host host;
    test_client client{host};
    client.ready(4, 0);
    client.connection.lost(start);
    CHECK(host.ends == std::vector{end_reason::lost});
}

TEST_CASE("without a window nothing is kept, whatever expiry is asked (s4)") {
    test_host host;
    test_client client{host};
    client.connect(0, 60);
    CHECK(client.frames().at(0).view.integer(key::expiry, 9) == 0);
    client.connection.lost(start);
    CHECK(host.ends == std::vector{end_reason::lost});
}

TEST_CASE("with expiry the session outlives its connection by so long (s3)") {
    test_host host;
    test_client client{host};
    client.ready(4, 30);
    broker_session& session = client.session();
    client.connection.lost(start);
    CHECK(session.next_deadline() == start + 30s);
    session.advance(start + 29999ms);
    CHECK(host.ends.empty());
    session.advance(start + 30s);
    CHECK(host.ends == std::vector{end_reason::expired});
}

TEST_CASE("resume: what was received is dropped, the rest comes again, flagged, then what waited (s3)") {
    test_host host;
    message_preparer preparer;
    test_client first{host};
    first.ready(2, 60);
    const std::string token{first.session().token()};
    for (const char* body : {"one()", "two()", "three()"})
        first.session().offer(start, prepared(preparer, body), {.slot = 0});
    CHECK(first.frames().size() == 2);
    first.connection.lost(start);
    host.sessions[0]->offer(start, prepared(preparer, "four()"), {.slot = 0});
    test_client second{host};
    second.connect(4, 60, token, 1);
    auto frames = second.frames();
    REQUIRE(frames.size() == 4);
    CHECK(frames[0].view.verb == verb::connected);
    CHECK(frames[0].view.integer(key::resumed) == 1);
    CHECK(frames[1].view.body == "two()");
    CHECK(frames[1].view.number == 2);
    CHECK(frames[1].view.redelivered());
    CHECK(frames[2].view.body == "three()");
    CHECK(frames[2].view.number == 3);
    CHECK_FALSE(frames[2].view.redelivered());
    CHECK(frames[3].view.body == "four()");
    CHECK(host.sessions.size() == 1);
    CHECK(host.sessions[0]->counters().redelivered == 1);
}

TEST_CASE("resume tells what is received from the client, and takes no number twice (s3)") {
    test_host host;
    test_client first{host};
    first.ready(8, 60);
    const std::string token{first.session().token()};
    first.message(1);
    first.message(2);
    first.connection.lost(start);
    test_client second{host};
    second.connect(8, 60, token, 0);
    CHECK(second.frames().at(0).view.integer(key::received) == 2);
    second.message(2);
    second.message(3);
    CHECK(host.routed.size() == 3);
}

TEST_CASE("what can't be continued gets a new session with resumed: no (s3)") {
    test_host host;
    message_preparer preparer;
    test_client first{host};
    first.ready(8, 60);
    const std::string token{first.session().token()};
    first.session().offer(start, prepared(preparer, "one()"), {.slot = 0});
    first.session().offer(start, prepared(preparer, "two()"), {.slot = 0});
    first.frames();
    first.send(verb::ack, 2);
    first.connection.lost(start);
    test_client second{host};
    SUBCASE("an unknown token") { second.connect(8, 60, std::string(32, 'x'), 0); }
    SUBCASE("another identity") {
        host.identity = "user:mallory";
        second.connect(8, 60, token, 2);
    }
    SUBCASE("numbers that were acknowledged and are gone") { second.connect(8, 60, token, 1); }
    SUBCASE("numbers that were never sent") { second.connect(8, 60, token, 3); }
    SUBCASE("no window") { second.connect(0, 60, token, 2); }
    const auto frames = second.frames();
    CHECK(frames.at(0).view.integer(key::resumed, 9) == 0);
    CHECK(frames.at(0).text(key::session) != token);
    CHECK(frames.at(0).view.integer(key::received) == 0);
    CHECK(host.sessions.size() == 2);
}

TEST_CASE("takeover: the old connection is told and closed before the new one is answered (s3)") {
    test_host host;
    test_client first{host};
    first.ready(8, 60);
    const std::string token{first.session().token()};
    test_client second{host};
    second.connect(8, 60, token, 0);
    CHECK(error_code(first) == "taken-over");
    CHECK(first.port.finished());
    CHECK(first.message(1) == verdict::closing);
    CHECK(host.routed.empty());
    CHECK(second.frames().at(0).view.integer(key::resumed) == 1);
    first.connection.lost(start);  // the old socket goes: nothing happens to the session
    CHECK(host.ends.empty());
    CHECK(second.message(1) == verdict::go_on);
    CHECK(host.routed.size() == 1);
}

TEST_CASE("after a resume the watches are told again, unasked (s3)") {
    test_host host;
    host.present = {"(app:a id:1-1@127.0.0.1)"};
    test_client first{host};
    first.ready(8, 60);
    const std::string token{first.session().token()};
    first.send(request(verb::watch, 9).set(key::to, "()"));
    first.frames();
    first.connection.lost(start);
    test_client second{host};
    second.connect(8, 60, token, 0);
    const auto frames = second.frames();
    REQUIRE(frames.size() == 3);
    CHECK(frames[1].view.verb == verb::entity);
    CHECK(frames[1].text(key::state) == "present");
    CHECK(frames[2].view.verb == verb::ok);
    CHECK(frames[2].view.integer(key::request) == 9);
    CHECK(host.last_watch_again == 1);
}

TEST_CASE("the broker ends a session with a code (s6)") {
    test_host host;
    test_client client{host};
    client.ready(8, 60);
    client.session().end(start, errc::shutting_down, "mbusd is stopping; reconnect later");
    CHECK(client.port.frames().at(0).text(key::code) == "shutting-down");
    CHECK(client.port.finished());
    CHECK(host.ends == std::vector{end_reason::shut_down});
}

TEST_CASE("a WebSocket connection is pinged after 25 s of silence and given up after 60 (s7)") {
    test_host host;
    test_client client{host, false};
    client.ready(8, 60);
    CHECK(client.connection.next_deadline() == start + 25s);
    client.connection.advance(start + 25s);
    CHECK(client.frames().at(0).view.verb == verb::ping);
    CHECK(client.connection.next_deadline() == start + 50s);
    client.connection.advance(start + 50s);
    client.frames();
    client.connection.advance(start + 60s);
    CHECK(client.port.finished());
    CHECK(host.ends.empty());
    test_client local{host};
    local.ready();
    CHECK(local.connection.next_deadline() == never);
}

}  // namespace mbus::mbws::testing
