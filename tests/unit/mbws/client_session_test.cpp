// The life of a client's session: connect, requests, faults, close (docs/mbws.md, section 3).
#include "client_lab.hpp"

namespace mbus::mbws::testing {

TEST_CASE("connect comes first, requests may follow at once, messages after connected (s3)") {
    scripted client;
    client.session.attach({.entity = "(app:ui)"});
    client.session.connect(start);
    client.session.watch("()");
    client.send();
    auto frames = client.output();
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].view.verb == verb::connect);
    CHECK(frames[0].view.integer(key::version) == 1);
    CHECK(frames[0].text(key::name) == "test");
    CHECK(frames[0].view.integer(key::window, 9) == 0);
    CHECK_FALSE(frames[0].view.has(key::session));
    CHECK(frames[1].view.verb == verb::attach);
    CHECK(frames[1].view.integer(key::request) == 1);
    CHECK(frames[2].view.verb == verb::watch);
    client.connected();
    CHECK(client.verbs() == strings{"message"});
    client.answer(verb::ok, 1, "(app:ui id:1-1@h)");
    client.answer(verb::nak, 2, {}, "forbidden");
    CHECK(client.told.take() ==
          strings{"connected first", "attached 1 (app:ui id:1-1@h)", "refused 2 forbidden"});
}

TEST_CASE("faults: which ones may be tried again (s3, s6)") {
    for (const auto& [code, line] : {std::pair{"taken-over", "fault taken-over"},
                                     {"unauthorized", "fault unauthorized"},
                                     {"shutting-down", "fault shutting-down again"},
                                     {"overflow", "fault overflow again"}}) {
        scripted client{4};
        client.session.connect(start);
        client.connected();
        client.told.take();
        frame_view frame;
        frame.verb = verb::error;
        CHECK_FALSE(client.receive(frame.set(key::code, code)));
        CHECK(client.told.take() == strings{line});
        CHECK(client.session.output().find("message") == std::string_view::npos);
    }
}

TEST_CASE("a broker that breaks the protocol is left (s3, s4)") {
    scripted client{4};
    client.session.connect(start);
    SUBCASE("anything but connected first") { CHECK_FALSE(client.numbered(verb::ack, 0)); }
    SUBCASE("another version") {
        frame_view frame;
        frame.verb = verb::connected;
        CHECK_FALSE(client.receive(frame.set(key::version, std::uint64_t{2}).set(key::session, "x")));
    }
    SUBCASE("a skipped number") {
        client.connected();
        CHECK_FALSE(client.numbered(verb::message, 2, "a()"));
    }
    SUBCASE("a verb of clients") {
        client.connected();
        CHECK_FALSE(client.numbered(verb::attach, 0));
    }
    SUBCASE("a bad frame") {
        client.connected();
        CHECK_FALSE(client.session.receive(start, std::string_view{"\x07\0\0\x0f\0\0\0\0", 8}));
    }
    CHECK(client.told.take().back().starts_with("fault bad-"));
    CHECK_FALSE(client.session.receive(start, "more"));
}

TEST_CASE("close waits for acknowledgements, then for the broker's close (s3)") {
    scripted client{4};
    client.session.connect(start);
    client.connected();
    client.send();
    client.session.close(start);
    CHECK(client.verbs() == strings{"connect", "message"});
    CHECK_FALSE(client.session.send({.to = "()"}));
    client.numbered(verb::ack, 1);
    CHECK(client.verbs() == strings{"close"});
    client.told.take();
    CHECK_FALSE(client.numbered(verb::close, 0));
    CHECK(client.told.take() == strings{"closed"});
    client.session.lost(start);
    CHECK(client.told.take().empty());
}

TEST_CASE("close ends by the end of the connection, too, and at once without one (s3)") {
    scripted client;
    client.session.connect(start);
    client.connected(false, 0, 0);
    client.session.close(start);
    client.output();
    client.told.take();
    client.session.lost(start);
    CHECK(client.told.take() == strings{"closed"});
    scripted never_connected;
    never_connected.session.close(start);
    CHECK(never_connected.told.take() == strings{"closed"});
}

TEST_CASE("what can't be sent is refused with what to do") {
    scripted client;
    client.session.connect(start);
    client.connected(false, 0, 0);
    client.output();
    CHECK(client.session.send({.to = "a\nb"}).error().code == errc::bad_argument);
    const std::string large(frame_octets_default, 'x');
    CHECK(client.session.send({.to = "()", .body = large}).error().code == errc::too_large);
    const std::string part(frame_octets_default / 2, 'x');
    result<message_token> last = message_token{0};
    for (int i = 0; i < 100 && last; ++i) last = client.session.send({.to = "()", .body = part});
    REQUIRE_FALSE(last);
    CHECK(last.error().code == errc::overflow);
    client.output();
    CHECK(client.session.send({.to = "()", .body = part}));
}

TEST_CASE("ping and pong; silence is given up when asked for (s7)") {
    diary told;
    client_session session{{.window = 4, .silence_max = 60s}, told};
    session.connect(start);
    CHECK(session.next_deadline() == start + 60s);
    session.advance(start + 60s);
    CHECK(told.take() == strings{"fault timed-out again"});
    scripted client;
    client.session.connect(start);
    client.connected(false, 0, 0);
    client.output();
    client.told.take();
    client.session.ping("x");
    CHECK(client.verbs() == strings{"ping"});
    client.numbered(verb::pong, 0, "x");
    CHECK(client.told.take() == strings{"pong x"});
    client.numbered(verb::ping, 0, "y");
    const auto frames = client.output();
    CHECK(frames.at(0).view.verb == verb::pong);
    CHECK(frames.at(0).view.body == "y");
}

TEST_CASE("step_again() takes messages with the header of the one before, and nothing else") {
    const auto octets_of = [](verb which, std::string_view body, std::string_view from = "(app:x id:9-1@h)") {
        std::string out;
        frame_writer writer{out, which};
        if (which == verb::message) writer.set(key::to, "()").set(key::from, from);
        REQUIRE(writer.finish(body));
        return out;
    };
    const auto repeated = octets_of(verb::message, "a()") + octets_of(verb::message, "b()");
    std::string_view body;
    SUBCASE("without a window") {
        scripted client;
        client.session.connect(start);
        client.connected(false, 0, 0);
        const auto input = repeated + octets_of(verb::message, "c()", "(app:y id:8-1@h)") + octets_of(verb::message, "d()", "(app:y id:8-1@h)") +
                           octets_of(verb::pong, "x") + octets_of(verb::pong, "y") + octets_of(verb::message, "e()");
        client.session.feed(input);
        static_cast<void>(client.told.take());
        CHECK_FALSE(client.session.step_again(body));  // of which one?
        REQUIRE(client.session.step(start) == client_session::stepped::frame);
        CHECK(client.session.step_again(body));
        CHECK(body == "b()");
        CHECK_FALSE(client.session.step_again(body));  // another sender
        REQUIRE(client.session.step(start) == client_session::stepped::frame);
        CHECK(client.session.step_again(body));
        CHECK(body == "d()");
        REQUIRE(client.session.step(start) == client_session::stepped::frame);
        CHECK_FALSE(client.session.step_again(body));  // a pong like the one before is no message
        REQUIRE(client.session.step(start) == client_session::stepped::frame);
        REQUIRE(client.session.step(start) == client_session::stepped::frame);
        CHECK_FALSE(client.session.step_again(body));
        CHECK(client.told.take() == strings{"message a()", "message c()", "pong x", "pong y", "message e()"});
    }
    SUBCASE("with a window each message is acknowledged, and so goes the whole way") {
        scripted client{4};
        client.session.connect(start);
        client.connected();
        std::string numbered;
        for (std::uint64_t number = 1; number <= 2; ++number) {
            frame_writer writer{numbered, verb::message, 0, number};
            writer.set(key::to, "()").set(key::from, "(app:x id:9-1@h)");
            REQUIRE(writer.finish("a()"));
        }
        client.session.feed(numbered);
        REQUIRE(client.session.step(start) == client_session::stepped::frame);
        CHECK_FALSE(client.session.step_again(body));
        REQUIRE(client.session.step(start) == client_session::stepped::frame);
    }
    SUBCASE("not after the connection was lost") {
        scripted client;
        client.session.connect(start);
        client.connected(false, 0, 0);
        client.session.feed(repeated);
        REQUIRE(client.session.step(start) == client_session::stepped::frame);
        client.session.lost(start);
        CHECK_FALSE(client.session.step_again(body));
        client.session.connect(start);
        CHECK_FALSE(client.session.step_again(body));
    }
}

}  // namespace mbus::mbws::testing
