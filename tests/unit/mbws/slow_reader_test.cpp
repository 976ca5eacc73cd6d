// Slow readers (docs/mbws.md, section 5), and the output of a connection.
#include <random>

#include "fixtures.hpp"

namespace mbus::mbws::testing {
namespace {

// A session with one attach whose queue holds three messages; it is not connected unless it reads.
struct slow {
    test_host host;
    message_preparer preparer;
    std::unique_ptr<test_client> client;

    explicit slow(std::string_view policy, std::size_t messages = 3, std::size_t octets = 8 * 1024 * 1024) {
        host.settings.queue_messages_max = messages;
        host.settings.queue_octets_max = octets;
        client = std::make_unique<test_client>(host);
        client->connect(100, 60);
        client->attach(1, "(app:player)", policy);
        client->frames();
    }
    broker_session& session() { return *host.sessions.front(); }
    offer_result offer(std::string_view body, bool reliable = false, bool wait = false,
                       time_point expires = never, std::string_view from = "(id:1-1@h)") {
        const auto ready = preparer.prepare({.to = "()",
                                             .from = from,
                                             .body = body,
                                             .first_command = body.substr(0, body.find('(')),
                                             .reliable = reliable});
        return session().offer(start, ready, {.slot = 0, .expires = expires, .sender_can_wait = wait});
    }
    std::vector<std::string> bodies(time_point now = start) {
        std::vector<std::string> found;
        missed = 0;
        for (const auto& frame : client->frames(now)) {
            if (frame.view.verb != verb::message) continue;
            found.emplace_back(frame.view.body);
            missed += frame.view.integer(key::missed);
        }
        return found;
    }
    std::uint64_t dropped(session_drop reason) {
        return session().counters().dropped[static_cast<std::size_t>(reason)];
    }
    std::uint64_t missed = 0;
};

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("drop-oldest keeps the newest, counts, and tells with the next delivery (s5)") {
    slow reader{""};
    for (const char* body : {"a()", "b()", "c()", "d()", "e()"})
        CHECK(reader.offer(body) == offer_result::taken);
    CHECK(reader.bodies() == strings{"c()", "d()", "e()"});
    CHECK(reader.missed == 2);
    CHECK(reader.dropped(session_drop::oldest) == 2);
    reader.client->send(verb::ack, 3);
    reader.offer("f()");
    CHECK(reader.bodies() == strings{"f()"});
    CHECK(reader.missed == 0);
}

TEST_CASE("drop-newest keeps what waits (s5)") {
    slow reader{"drop-newest"};
    for (const char* body : {"a()", "b()", "c()"}) CHECK(reader.offer(body) == offer_result::taken);
    CHECK(reader.offer("d()") == offer_result::dropped);
    CHECK(reader.bodies() == strings{"a()", "b()", "c()"});
    CHECK(reader.missed == 1);
    reader.client->send(verb::ack, 3);
    reader.offer("e()");
    CHECK(reader.bodies() == strings{"e()"});
    CHECK(reader.missed == 0);
    CHECK(reader.dropped(session_drop::newest) == 1);
}

TEST_CASE("latest keeps the newest per source and first command (s5)") {
    slow reader{"latest"};
    for (const char* body : {"gain(1)", "mute(1)", "gain(2)", "gain(3)", "mute(2)"}) {
        CHECK(reader.offer(body) == offer_result::taken);
    }
    CHECK(reader.offer("pan(1)") == offer_result::taken);
    CHECK(reader.bodies() == strings{"gain(3)", "mute(2)", "pan(1)"});
    CHECK(reader.dropped(session_drop::superseded) == 3);
}

TEST_CASE("latest tells sources apart, and drops the oldest when nothing is superseded (s5)") {
    slow reader{"latest"};
    for (const char* from : {"(id:1-1@h)", "(id:2-1@h)", "(id:3-1@h)", "(id:4-1@h)"}) {
        reader.offer("gain(1)", false, false, never, from);
    }
    CHECK(reader.bodies().size() == 3);
    CHECK(reader.dropped(session_drop::oldest) == 1);
}

TEST_CASE("latest keeps its books over many messages that are sent and superseded (s5)") {
    slow reader{"latest", 50};
    std::mt19937 random{7};
    std::map<std::string, int> last;
    std::map<std::string, int> seen;
    std::uint64_t acknowledged = 0;
    for (int i = 0; i < 20000; ++i) {
        const std::string name = "c" + std::to_string(random() % 40);
        REQUIRE(reader.offer(name + "(" + std::to_string(i) + ")") == offer_result::taken);
        last[name] = i;
        if (random() % 97 != 0 && i + 1 < 20000) continue;
        for (const auto& body : reader.bodies()) {
            const auto open = body.find('(');
            const int value = std::stoi(body.substr(open + 1));
            REQUIRE(value > (seen.contains(body.substr(0, open)) ? seen[body.substr(0, open)] : -1));
            seen[body.substr(0, open)] = value;
            ++acknowledged;
        }
        reader.client->send(verb::ack, acknowledged);
    }
    CHECK(seen == last);  // the newest of each arrived
    CHECK(acknowledged + reader.session().counters().dropped_total() == 20000);
    CHECK(reader.session().queued_messages() == 0);
    CHECK(reader.session().queued_octets() == 0);
}

TEST_CASE("block makes senders that can wait wait, for 5 s at most (s5)") {
    slow reader{"block"};
    for (const char* body : {"a()", "b()", "c()"})
        CHECK(reader.offer(body, false, true) == offer_result::taken);
    CHECK(reader.offer("d()", false, true) == offer_result::wait);
    CHECK(reader.offer("e()") == offer_result::dropped);  // from the bus: as drop-newest
    CHECK(reader.host.rooms == 0);
    SUBCASE("room") {
        CHECK(reader.bodies() == strings{"a()", "b()", "c()", "d()"});
        CHECK(reader.host.rooms == 0);  // sent is not read yet
        reader.client->send(verb::ack, 4);
        CHECK(reader.host.rooms == 1);
        CHECK(reader.session().next_deadline() == never);
    }
    SUBCASE("patience") {
        CHECK(reader.session().next_deadline() == start + 5s);
        reader.session().advance(start + 5s);
        CHECK(reader.host.rooms == 1);
        CHECK(reader.offer("f()", false, true) == offer_result::dropped);
        CHECK(reader.bodies() == strings{"a()", "b()", "c()", "d()"});
        reader.client->send(verb::ack, 4);
        CHECK(reader.offer("g()", false, true) == offer_result::taken);
    }
    SUBCASE("the receiver goes") {
        reader.client->send(verb::close);
        CHECK(reader.host.rooms == 1);
    }
}

TEST_CASE("a held sender wants no input until it is released (s5)") {
    test_host host;
    test_client client{host};
    client.ready();
    client.session().hold();
    client.session().hold();
    CHECK_FALSE(client.connection.wants_input());
    client.session().release();
    CHECK_FALSE(client.connection.wants_input());
    CHECK(client.port.reads == 0);
    client.session().release();
    CHECK(client.connection.wants_input());
    CHECK(client.port.reads == 1);
}

TEST_CASE("disconnect ends the connection with overflow, the session stays (s5)") {
    slow reader{"disconnect"};
    for (const char* body : {"a()", "b()", "c()"}) CHECK(reader.offer(body) == offer_result::taken);
    CHECK(reader.offer("d()") == offer_result::dropped);
    const auto frames = reader.client->frames();
    CHECK(frames.at(0).view.verb == verb::error);
    CHECK(frames.at(0).text(key::code) == "overflow");
    CHECK(reader.client->port.finished());
    CHECK_FALSE(reader.session().over());
    CHECK(reader.dropped(session_drop::disconnect) == 1);
}

TEST_CASE("a reliable message is refused, never dropped, when there is no room (s5)") {
    for (const char* policy : {"drop-newest", "block", "disconnect"}) {
        CAPTURE(policy);
        slow reader{policy};
        for (const char* body : {"a()", "b()", "c()"}) CHECK(reader.offer(body) == offer_result::taken);
        CHECK(reader.offer("r()", true) == offer_result::refused);
        CHECK(reader.session().counters().undeliverable == 1);
        CHECK(reader.session().counters().dropped_total() == 0);
    }
    slow reader{"drop-oldest"};
    for (const char* body : {"r1()", "r2()", "r3()"}) CHECK(reader.offer(body, true) == offer_result::taken);
    CHECK(reader.offer("r4()", true) == offer_result::refused);
    CHECK(reader.offer("u()") == offer_result::dropped);  // nothing older may go
    CHECK(reader.bodies() == strings{"r1()", "r2()", "r3()"});
}

TEST_CASE("a reliable message makes room as the policy says (s5)") {
    slow reader{"drop-oldest"};
    for (const char* body : {"a()", "r1()", "b()"}) reader.offer(body, body[0] == 'r');
    CHECK(reader.offer("r2()", true) == offer_result::taken);
    CHECK(reader.offer("c()") == offer_result::taken);
    CHECK(reader.bodies() == strings{"r1()", "r2()", "c()"});
}

TEST_CASE("what is in flight is never dropped (s5)") {
    slow reader{""};
    for (const char* body : {"a()", "b()", "c()"}) reader.offer(body);
    CHECK(reader.bodies().size() == 3);
    CHECK(reader.offer("d()") == offer_result::dropped);
    CHECK(reader.session().queued_messages() == 3);
}

TEST_CASE("the limit in octets counts whole frames (s5)") {
    slow reader{"drop-newest", 1000, 900};
    const std::string body = "a(\"" + std::string(400, 'x') + "\")";
    CHECK(reader.offer(body) == offer_result::taken);
    CHECK(reader.offer(body) == offer_result::dropped);
    const std::string huge = "a(\"" + std::string(4000, 'x') + "\")";
    CHECK(reader.bodies().size() == 1);
    reader.client->send(verb::ack, 1);
    CHECK(reader.offer(huge) == offer_result::taken);  // alone, anything that the client takes may pass
}

TEST_CASE("a ttl that ends in the queue drops the message, counted (s4, s5)") {
    slow reader{"drop-newest"};
    reader.offer("a()", false, false, start + 10ms);
    reader.offer("b()");
    CHECK(reader.bodies(start + 10ms) == strings{"b()"});
    CHECK(reader.missed == 1);
    CHECK(reader.dropped(session_drop::expired) == 1);
}

TEST_CASE("expired messages make room first (s4, s5)") {
    slow reader{"drop-newest"};
    reader.offer("a()", false, false, start);  // over at once
    reader.offer("b()");
    reader.offer("c()");
    CHECK(reader.offer("d()") == offer_result::taken);
    CHECK(reader.bodies() == strings{"b()", "c()", "d()"});
}

TEST_CASE("what has a number and expired goes out with its number, a code and no body (s4)") {
    slow reader{""};
    const std::string token{reader.session().token()};
    reader.offer("a()", false, false, start + 10ms);
    reader.offer("b()");
    CHECK(reader.bodies().size() == 2);
    reader.client->connection.lost(start);
    test_client again{reader.host};
    again.connect(100, 60, token, 0);
    const auto frames = again.frames(start + 1s);
    REQUIRE(frames.size() == 3);
    CHECK(frames[1].view.verb == verb::message);
    CHECK(frames[1].view.number == 1);
    CHECK(frames[1].text(key::code) == "expired");
    CHECK(frames[1].view.body.empty());
    CHECK(frames[1].view.redelivered());
    CHECK(frames[2].view.number == 2);
    CHECK(frames[2].view.body == "b()");
}

TEST_CASE("a message larger than the client takes is refused or counted (s2.4)") {
    slow reader{""};
    const std::string body = "a(\"" + std::string(2 * 1024 * 1024, 'x') + "\")";
    CHECK(reader.offer(body) == offer_result::too_large);
    CHECK(reader.dropped(session_drop::too_large) == 1);
    CHECK(reader.offer(body, true) == offer_result::too_large);
    CHECK(reader.session().counters().undeliverable == 1);
}

TEST_CASE("what waits for a session that ends is counted (promise 1)") {
    slow reader{""};
    reader.offer("a()");
    reader.offer("b()");
    reader.client->connection.lost(start);
    reader.session().advance(start + 60s);
    CHECK(reader.dropped(session_drop::ended) == 2);
    CHECK(reader.offer("c()") == offer_result::dropped);
}

TEST_CASE("missed is told with connected after a resume (s3)") {
    slow reader{"drop-newest"};
    const std::string token{reader.session().token()};
    reader.client->connection.lost(start);
    for (const char* body : {"a()", "b()", "c()", "d()"}) reader.offer(body);
    test_client again{reader.host};
    again.connect(100, 60, token, 0);
    const auto frames = again.frames();
    CHECK(frames.at(0).view.integer(key::missed) == 1);
    CHECK(frames.size() == 4);
}

// --- deliveries -------------------------------------------------------------------------------

TEST_CASE("a session with several entities is told which one a message is for (s2.4)") {
    test_host host;
    message_preparer preparer;
    test_client client{host};
    client.ready();
    const auto ready =
        preparer.prepare({.to = "()", .from = "(id:1-1@h)", .time = 5, .body = "a()", .reliable = true});
    client.session().offer(start, ready, {.slot = 0});
    auto frames = client.frames();
    CHECK_FALSE(frames.at(0).view.has(key::entity));
    CHECK(frames.at(0).text(key::from) == "(id:1-1@h)");
    CHECK(frames.at(0).text(key::to) == "()");
    CHECK(frames.at(0).view.integer(key::time) == 5);
    CHECK(frames.at(0).view.reliable());
    CHECK(frames.at(0).view.number == 0);
    client.attach(2, "(app:second)");
    client.frames();
    client.session().offer(start, ready, {.slot = 0});
    client.session().offer(start, ready, {.slot = 1});
    frames = client.frames();
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].text(key::entity) == "(app:player id:1-1@127.0.0.1)");
    CHECK(frames[1].text(key::entity) == "(app:second id:1-2@127.0.0.1)");
    CHECK(frames[1].view.body == "a()");
}

TEST_CASE("a monitor's copy says so in each frame (s3)") {
    test_host host;
    message_preparer preparer;
    test_client client{host};
    client.connect();
    client.attach(1, "()", "", "monitor");
    client.frames();
    const auto ready =
        preparer.prepare({.to = "(app:x)", .from = "(id:1-1@h)", .body = "a()", .reliable = true});
    CHECK(client.session().offer(start, ready, {.slot = 0, .monitor = true}) == offer_result::taken);
    const auto frames = client.frames();
    CHECK(frames.at(0).text(key::mode) == "monitor");
    CHECK(frames.at(0).text(key::to) == "(app:x)");
    // A session that only monitors has no entity and can't send.
    client.message(1);
    CHECK(client.frames().at(0).text(key::code) == "no-entity");
}

TEST_CASE("messages that wait when their attach goes are still delivered") {
    slow reader{""};
    reader.offer("a()");
    frame_view detach;
    detach.verb = verb::detach;
    detach.set(key::request, std::uint64_t{5}).set(key::about, std::uint64_t{1});
    reader.client->send(detach);
    reader.client->attach(6, "(app:new)");
    CHECK(reader.session().find_attachment(0) == nullptr);
    CHECK(reader.session().find_attachment(1) != nullptr);  // slot 0 is still in use
    CHECK(reader.bodies() == strings{"a()"});
}

TEST_CASE("with window 0 messages that the output can't take wait in order (s5)") {
    test_host host;
    message_preparer preparer;
    test_client client{host};
    client.ready();
    const std::string filler(1000, 'x');
    for (int i = 0; i < 2000; ++i) {
        const std::string body = "n(" + std::to_string(i) + " \"" + filler + "\")";
        REQUIRE(client.session().offer(start,
                                       preparer.prepare({.to = "()", .from = "(id:1-1@h)", .body = body}),
                                       {.slot = 0}) == offer_result::taken);
    }
    CHECK(client.port.waiting() <= output_octets_high + 2048);
    CHECK(client.session().queued_messages() > 1000);
    int next = 0;
    for (int turn = 0; turn < 100 && next < 2000; ++turn) {
        for (const auto& frame : client.frames()) {
            REQUIRE(frame.view.body.starts_with("n(" + std::to_string(next) + " "));
            ++next;
        }
    }
    CHECK(next == 2000);
    CHECK(client.session().counters().delivered == 2000);
}

TEST_CASE("the octets of a stream are the same however they are gathered") {
    test_port port;
    test_port reference;
    message_preparer preparer;
    std::mt19937 random{11};
    std::string taken;
    std::string expected;
    for (int i = 0; i < 500; ++i) {
        const std::string body(random() % 1500, static_cast<char>('a' + i % 26));
        const message_ref ready = preparer.prepare({.to = "()", .body = body});
        const outgoing_frame frame{verb::message, 0,     static_cast<std::uint64_t>(i), {}, ready->fields(),
                                   ready->body(), &ready};
        port.append(frame);
        reference.append(frame);
        expected += reference.take();
        if (random() % 3 == 0) taken += port.take(random() % 4000);
        if (random() % 50 == 0) taken += port.take(), port.trim();
    }
    taken += port.take();
    CHECK(taken == expected);
    CHECK(port.waiting() == 0);
    port.trim();
}

TEST_CASE("a port that has written everything lends its memory to the next") {
    stream_port::memory_pool pool;
    test_port first;
    test_port second;
    first.use(pool);
    second.use(pool);
    message_preparer preparer;
    const message_ref ready = preparer.prepare({.to = "()", .body = std::string(100, 'a')});
    const outgoing_frame frame{verb::message, 0, 1, {}, ready->fields(), ready->body(), &ready};
    std::string expected;
    for (int i = 0; i < 50; ++i) {
        first.append(frame);
        const auto one = first.take();
        second.append(frame);
        second.give_back();  // not yet: something waits
        first.give_back();
        CHECK(second.take() == one);
        second.give_back();
        if (i == 0) expected = one;
        CHECK(one == expected);
    }
}

TEST_CASE("a queue gives its memory back some time after a burst, with one wake-up") {
    test_host host;
    test_client client{host};
    client.ready();
    message_preparer preparer;
    const message_ref ready = preparer.prepare({.to = "()", .body = std::string(1000, 'a')});
    for (int i = 0; i < 1000; ++i) client.session().offer(start, ready, {.slot = 0});
    while (client.port.waiting() > 0) {
        client.port.consumed(client.port.waiting());
        client.connection.fill(start);
    }
    CHECK(client.session().queued_messages() == 0);
    CHECK(client.session().next_deadline() == start + trim_after);
    client.session().advance(start + trim_after);
    CHECK(client.session().next_deadline() == never);
    client.connection.fill(start + trim_after);
    CHECK(client.session().next_deadline() == never);
}

}  // namespace mbus::mbws::testing
