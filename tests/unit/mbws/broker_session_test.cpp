// The life of a session at the broker: connect, requests, close (docs/mbws.md, section 3).
#include "broker_lab.hpp"

namespace mbus::mbws::testing {

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

}  // namespace mbus::mbws::testing
