// The broker's side of a session: life, numbers, window, acknowledgements (docs/mbws.md, sections 3, 4).
#include "fixtures.hpp"

namespace mbus::mbws::testing {
namespace {

// The one error frame that a connection ended with; empty when there is none.
std::string error_code(test_client& client) {
    for (const auto& frame : client.frames()) {
        if (frame.view.verb == verb::error) return std::string{frame.text(key::code)};
    }
    return {};
}

frame_view request(verb which, std::uint32_t number) {
    frame_view frame;
    frame.verb = which;
    frame.set(key::request, std::uint64_t{number});
    return frame;
}

message_ref prepared(message_preparer& preparer, std::string_view body, bool reliable = false) {
    return preparer.prepare(
        {.to = "(app:player)", .from = "(app:x id:9-9@127.0.0.1)", .body = body, .reliable = reliable});
}

}  // namespace

TEST_CASE("connect is answered with what is granted (s3)") {
    test_host host;
    host.settings.broker = "0123456789abcdef";
    test_client client{host};
    CHECK(client.connect(10, 30) == verdict::go_on);
    const auto frames = client.frames();
    REQUIRE(frames.size() == 1);
    const auto& answer = frames.front().view;
    CHECK(answer.verb == verb::connected);
    CHECK(answer.integer(key::version) == 1);
    CHECK(answer.text(key::session).size() >= 32);
    CHECK(answer.has(key::resumed));
    CHECK(answer.integer(key::resumed) == 0);
    CHECK(answer.integer(key::received) == 0);
    CHECK(answer.integer(key::window) == 256);
    CHECK(answer.integer(key::expiry) == 30);
    CHECK(answer.integer(key::size) == 1048576);
    CHECK(answer.text(key::broker) == "0123456789abcdef");
    CHECK(answer.integer(key::durable, 9) == 0);
}

TEST_CASE("defaults: window 0 and expiry 0 locally, 256 and 60 on WebSocket (s3, s4)") {
    frame_view connect;
    connect.verb = verb::connect;
    connect.set(key::version, std::uint64_t{7});  // the highest that the client speaks
    test_host host;
    test_client local{host};
    CHECK(local.send(connect) == verdict::go_on);
    CHECK(host.last_window == 0);
    CHECK(host.last_expiry == 0);
    CHECK(local.frames().front().view.integer(key::window) == 0);
    test_client far{host, false};
    CHECK(far.send(connect) == verdict::go_on);
    CHECK(host.last_window == 256);
    CHECK(host.last_expiry == 60);
}

TEST_CASE("a window is at most 65536, and never 0 on WebSocket (s4)") {
    test_host host;
    test_client local{host};
    local.connect(1000000);
    CHECK(host.last_window == 65536);
    test_client far{host, false};
    CHECK(far.connect(0) == verdict::closing);
    CHECK(error_code(far) == "window");
}

TEST_CASE("error and the end of the connection follow (s3)") {
    test_host host;
    test_client client{host};
    SUBCASE("anything but connect first") {
        CHECK(client.send(verb::ping) == verdict::closing);
        CHECK(error_code(client) == "bad-frame");
    }
    SUBCASE("no version in common") {
        CHECK(client.send(verb::connect) == verdict::closing);
        CHECK(error_code(client) == "bad-version");
    }
    SUBCASE("no connect within 5 s") {
        CHECK(client.connection.next_deadline() == start + 5s);
        client.connection.advance(start + 4999ms);
        CHECK_FALSE(client.port.finished());
        client.connection.advance(start + 5s);
        CHECK(error_code(client) == "bad-frame");
    }
    SUBCASE("a size below 128 KiB") {
        frame_view connect;
        connect.verb = verb::connect;
        connect.set(key::version, std::uint64_t{1}).set(key::size, std::uint64_t{131071});
        CHECK(client.send(connect) == verdict::closing);
        CHECK(error_code(client) == "bad-frame");
    }
    SUBCASE("a refusal of the host") {
        host.refuse_open = true;
        CHECK(client.connect() == verdict::closing);
        CHECK(error_code(client) == "unauthorized");
    }
    SUBCASE("a second connect") {
        client.ready();
        CHECK(client.connect() == verdict::closing);
        CHECK(error_code(client) == "bad-frame");
    }
    SUBCASE("an unknown verb") {
        client.ready();
        CHECK(client.send(static_cast<verb>(99)) == verdict::closing);
        CHECK(error_code(client) == "bad-frame");
    }
    SUBCASE("a verb of the broker") {
        client.ready();
        CHECK(client.send(verb::receipt) == verdict::closing);
        CHECK(error_code(client) == "bad-frame");
    }
    SUBCASE("a frame that the reader refused") {
        client.ready();
        client.connection.fault(start, {errc::too_large, "too large"});
        CHECK(error_code(client) == "too-large");
    }
    CHECK(client.port.finished());
    CHECK(client.connection.closing());
}

TEST_CASE("attach answers with the full address and detach undoes it (s3)") {
    test_host host;
    test_client client{host};
    client.connect();
    client.attach(1, "(module:ui app:ui)");
    auto frames = client.frames();
    REQUIRE(frames.size() == 2);
    CHECK(frames[1].view.verb == verb::ok);
    CHECK(frames[1].view.integer(key::request) == 1);
    CHECK(frames[1].text(key::entity) == "(app:ui id:1-1@127.0.0.1 module:ui)");
    auto detach = request(verb::detach, 2);
    client.send(detach.set(key::about, std::uint64_t{1}));
    frames = client.frames();
    CHECK(frames.at(0).view.verb == verb::ok);
    CHECK(host.detached["(app:ui id:1-1@127.0.0.1 module:ui)"] == 1);
    client.send(request(verb::detach, 3).set(key::about, std::uint64_t{1}));
    frames = client.frames();
    CHECK(frames.at(0).view.verb == verb::nak);
    CHECK(frames.at(0).text(key::code) == "not-found");
}

TEST_CASE("a repeated attach gets the same answer, with other fields conflict (s3)") {
    test_host host;
    test_client client{host};
    client.ready();
    client.attach(1, "(app:player)");
    CHECK(client.frames().at(0).text(key::entity) == "(app:player id:1-1@127.0.0.1)");
    client.attach(1, "(app:other)");
    CHECK(client.frames().at(0).text(key::code) == "conflict");
    frame_view watch = request(verb::watch, 1);
    client.send(watch.set(key::to, "()"));
    CHECK(client.frames().at(0).text(key::code) == "conflict");
    CHECK(host.sessions.front()->find_attachment(0) != nullptr);
}

TEST_CASE("attaches that can't be granted get a nak that says why (s3)") {
    test_host host;
    host.settings.attaches_max = 2;
    test_client client{host};
    client.ready();
    const auto code = [&](const frame_view& frame) {
        CHECK(client.send(frame) == verdict::go_on);
        const auto frames = client.frames();
        REQUIRE(frames.size() == 1);
        CHECK_FALSE(frames[0].text(key::text).empty());
        return std::string{frames[0].text(key::code)};
    };
    CHECK(code(request(verb::attach, 2)) == "bad-address");
    CHECK(code(request(verb::attach, 2).set(key::entity, "(app")) == "bad-address");
    CHECK(code(request(verb::attach, 2).set(key::entity, "(app:refused)")) == "forbidden");
    CHECK(code(request(verb::attach, 2).set(key::entity, "()").set(key::policy, "maybe")) == "bad-frame");
    CHECK(code(request(verb::attach, 2).set(key::entity, "()").set(key::mode, "maybe")) == "bad-frame");
    CHECK(code(request(verb::attach, 2).set(key::entity, "()").set(key::type, "maybe")) == "bad-frame");
    CHECK(code(request(verb::attach, 2).set(key::mode, "queue").set(key::queue, "q")) == "window");
    client.attach(2, "(app:b)");
    client.frames();
    CHECK(code(request(verb::attach, 3).set(key::entity, "(app:c)")) == "limit");
}

TEST_CASE("queues are offered to the host only with a window (s4)") {
    test_host host;
    test_client client{host};
    client.connect(4);
    client.frames();
    client.send(request(verb::attach, 2).set(key::mode, "queue").set(key::queue, "jobs"));
    CHECK(client.frames().at(0).text(key::code) == "forbidden");
    client.send(request(verb::attach, 2).set(key::mode, "queue").set(key::queue, "no blank"));
    CHECK(client.frames().at(0).text(key::code) == "bad-frame");
}

TEST_CASE("a request without number is a bad frame (s2.4)") {
    test_host host;
    test_client client{host};
    client.ready();
    CHECK(client.send(request(verb::attach, 0)) == verdict::closing);
    CHECK(error_code(client) == "bad-frame");
}

TEST_CASE("ping is answered with its body, at most 64 octets (s2.3)") {
    test_host host;
    test_client client{host};
    client.ready();
    frame_view ping;
    ping.verb = verb::ping;
    const std::string body(64, 'x');
    ping.body = body;
    client.send(ping);
    const auto frames = client.frames();
    CHECK(frames.at(0).view.verb == verb::pong);
    CHECK(frames.at(0).view.body == body);
    const std::string large(65, 'x');
    ping.body = large;
    CHECK(client.send(ping) == verdict::closing);
    CHECK(error_code(client) == "bad-frame");
}

TEST_CASE("close is answered with close, the connection ends, nothing is kept (s2.3)") {
    test_host host;
    test_client client{host};
    client.ready(4, 60);
    CHECK(client.send(verb::close) == verdict::closing);
    CHECK(client.port.frames().at(0).view.verb == verb::close);
    CHECK(client.port.finished());
    CHECK(host.ends == std::vector{end_reason::closed});
    CHECK(host.sessions.front()->over());
}

TEST_CASE("grant and revoke pass through the host (s3)") {
    test_host host;
    test_client client{host};
    client.ready();
    client.send(request(verb::grant, 5).set(key::uses, std::uint64_t{3}));
    auto frames = client.frames();
    CHECK(frames.at(0).view.verb == verb::ok);
    CHECK(frames.at(0).text(key::url) == "http://127.0.0.1:8407/cap/x5");
    CHECK(frames.at(0).view.integer(key::uses) == 3);
    client.send(request(verb::revoke, 6).set(key::url, "http://127.0.0.1:8407/cap/x5"));
    CHECK(client.frames().at(0).view.verb == verb::ok);
    client.send(request(verb::revoke, 7).set(key::url, "x"));
    CHECK(client.frames().at(0).text(key::code) == "not-found");
    client.send(request(verb::grant, 8).set(key::entity, "(app:foreign)"));
    CHECK(client.frames().at(0).text(key::code) == "forbidden");
}

// --- messages of the client -------------------------------------------------------------------

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

// --- numbers ----------------------------------------------------------------------------------

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

// --- watches ----------------------------------------------------------------------------------

TEST_CASE("watch: what is present, then ok with matched, then changes (s3)") {
    test_host host;
    host.present = {"(app:a id:1-1@127.0.0.1)", "(app:b id:1-2@127.0.0.1)"};
    test_client client{host};
    client.ready();
    client.send(request(verb::watch, 9).set(key::to, "()"));
    auto frames = client.frames();
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].view.verb == verb::entity);
    CHECK(frames[0].text(key::state) == "present");
    CHECK(frames[0].view.integer(key::request) == 9);
    CHECK(frames[0].view.number == 0);
    CHECK(frames[2].view.verb == verb::ok);
    CHECK(frames[2].view.integer(key::matched) == 2);
    client.session().entity_changed(0, "(app:c)", entity_state::joined);
    frames = client.frames();
    CHECK(frames.at(0).text(key::state) == "joined");
    client.send(request(verb::detach, 10).set(key::about, std::uint64_t{9}));
    CHECK(client.frames().at(0).view.verb == verb::ok);
    CHECK(host.unwatched == 1);
    client.session().entity_changed(0, "(app:c)", entity_state::left);
    CHECK(client.frames().empty());
}

TEST_CASE("for a slow reader only the last state of each entity waits (s3)") {
    test_host host;
    test_client client{host};
    client.ready();
    client.send(request(verb::watch, 9).set(key::to, "()"));
    client.frames();
    // Fill the output with deliveries that nobody reads.
    message_preparer preparer;
    const auto large = prepared(preparer, "a(\"" + std::string(60000, 'x') + "\")");
    for (int i = 0; i < 10; ++i) client.session().offer(start, large, {.slot = 0});
    client.connection.fill(start);
    for (int i = 0; i < 1000; ++i) {
        client.session().entity_changed(0, "(app:c)", i % 2 == 0 ? entity_state::joined : entity_state::left);
        client.session().entity_changed(0, "(app:d)", entity_state::joined);
    }
    std::vector<std::string> states;
    for (int turn = 0; turn < 20; ++turn) {
        for (const auto& frame : client.frames()) {
            if (frame.view.verb == verb::entity)
                states.emplace_back(std::string{frame.text(key::entity)} +
                                    std::string{frame.text(key::state)});
        }
    }
    CHECK(states == std::vector<std::string>{"(app:c)left", "(app:d)joined"});
}

TEST_CASE("a watch that is refused gets a nak (s3)") {
    test_host host;
    test_client client{host};
    client.ready();
    client.send(request(verb::watch, 9).set(key::to, "(app:refused)"));
    auto frames = client.frames();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].text(key::code) == "forbidden");
    client.send(request(verb::watch, 9));
    CHECK(client.frames().at(0).text(key::code) == "bad-address");
    client.send(request(verb::watch, 9).set(key::to, "(a"));
    CHECK(client.frames().at(0).text(key::code) == "bad-address");
}

// --- connections come and go ------------------------------------------------------------------

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
