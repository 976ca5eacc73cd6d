// The client's side of a session (docs/mbws.md, sections 3 and 4).
#include "fixtures.hpp"

namespace mbus::mbws::testing {
namespace {

// Writes down what the session tells, one line each.
class diary final : public client_handler {
public:
    void on_connected(const connected_info& info) override {
        add(std::string{"connected"} + (info.resumed ? " resumed" : "") + (info.first ? " first" : ""));
    }
    void on_fault(const error& failure, bool again) override {
        add("fault " + std::string{to_string(failure.code)} + (again ? " again" : ""));
    }
    void on_closed() override { add("closed"); }
    void on_attached(std::uint32_t request, std::string_view entity) override {
        add("attached", request, entity);
    }
    void on_watched(std::uint32_t request, std::uint32_t matched) override {
        add("watched", request, std::to_string(matched));
    }
    void on_watch_restarted(std::uint32_t request) override { add("restarted", request); }
    void on_granted(std::uint32_t request, std::string_view url, std::uint32_t, std::uint32_t) override {
        add("granted", request, url);
    }
    void on_done(std::uint32_t request) override { add("done", request); }
    void on_refused(std::uint32_t request, const error& failure) override {
        add("refused", request, to_string(failure.code));
    }
    void on_entity(std::uint32_t request, std::string_view entity, entity_state state) override {
        add("entity", request, std::string{entity} + " " + std::string{to_string(state)});
    }
    bool on_message(const delivered_message& what) override {
        add(std::string{what.redelivered ? "again " : "message "} + std::string{what.body});
        return handled;
    }
    void on_missed(std::uint64_t messages) override { add("missed", messages); }
    void on_result(message_token token, const message_result& what) override {
        add("result", token,
            what.ok ? "ok " + std::to_string(what.matched) : std::string{to_string(what.code)});
    }
    void on_taken_over(message_token up_to) override { add("taken", up_to); }
    void on_refusal_heard(std::uint64_t number) override { add("heard", number); }
    void on_pong(std::string_view body) override { add("pong " + std::string{body}); }

    std::vector<std::string> take() { return std::exchange(lines, {}); }
    bool handled = true;

private:
    void add(std::string line) { lines.push_back(std::move(line)); }
    void add(std::string word, std::uint64_t number, std::string_view more = {}) {
        lines.push_back(word + " " + std::to_string(number) + (more.empty() ? "" : " " + std::string{more}));
    }
    std::vector<std::string> lines;
};

using strings = std::vector<std::string>;

// A session whose broker is the test itself.
struct scripted {
    diary told;
    client_session session;

    explicit scripted(std::uint32_t window = 0)
        : session({.name = "test", .window = window, .expiry = 60}, told) {}

    std::vector<owned_frame> output() {
        const std::string octets{session.output()};
        session.written(octets.size());
        std::vector<owned_frame> found;
        frame_reader reader;
        reader.feed(octets);
        frame_view frame;
        while (reader.next(frame) == frame_reader::status::frame) found.emplace_back(reader.raw());
        REQUIRE_FALSE(reader.failed());
        return found;
    }
    std::vector<std::string> verbs() {
        std::vector<std::string> found;
        for (const auto& frame : output()) found.emplace_back(to_string(frame.view.verb));
        return found;
    }
    bool receive(const frame_view& frame) {
        std::string octets;
        REQUIRE(append_frame(octets, frame));
        return session.receive(start, octets);
    }
    bool connected(bool resumed = false, std::uint64_t received = 0, std::uint32_t window = 4) {
        frame_view frame;
        frame.verb = verb::connected;
        frame.set(key::version, std::uint64_t{1}).set(key::session, "0123456789abcdef0123456789abcdef");
        frame.set(key::resumed, std::uint64_t{resumed ? 1U : 0U}).set(key::received, received);
        frame.set(key::window, std::uint64_t{window}).set(key::size, std::uint64_t{frame_octets_default});
        return receive(frame);
    }
    bool answer(verb which, std::uint32_t request, std::string_view entity = {}, std::string_view code = {}) {
        frame_view frame;
        frame.verb = which;
        frame.set(key::request, std::uint64_t{request});
        if (!entity.empty()) frame.set(key::entity, entity);
        if (!code.empty()) frame.set(key::code, code);
        return receive(frame);
    }
    bool numbered(verb which, std::uint64_t number, std::string_view body = {}, std::uint64_t about = 0,
                  std::string_view code = {}) {
        frame_view frame;
        frame.verb = which;
        frame.number = number;
        frame.body = body;
        if (about != 0) frame.set(key::about, about);
        if (!code.empty()) frame.set(key::code, code);
        return receive(frame);
    }
    message_token send(bool receipt = false) {
        const auto token = session.send({.to = "()", .body = "a.b()", .receipt_wanted = receipt});
        REQUIRE(token);
        return *token;
    }
};

}  // namespace

TEST_CASE("given a job that is given back, its nak is numbered like a message, and its ack waits for that of the nak (s4)") {
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

}  // namespace mbus::mbws::testing
