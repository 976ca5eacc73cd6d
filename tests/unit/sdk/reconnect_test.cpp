// The connection breaks: what goes on, what ends, and what the program is told.
#include "fixture.hpp"

using mbus::connection_state;
using mbus::errc;

namespace {

const mbus::connect_options resumable{.window = 64, .expiry = 60s};

std::vector<mbus::connection_event>& log_states(mbus::connection& of, std::vector<mbus::connection_event>& log) {
    of.on_state([&log](const mbus::connection_event& what) { log.push_back(what); });
    return log;
}

}  // namespace

TEST_CASE("after a broken connection the entities are attached again") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    std::vector<mbus::connection_event> log;
    log_states(b.connection, log);

    bus.break_connections();
    bus.settle();
    CHECK(b.connection.state() == connection_state::connecting);
    CHECK(b.me.send("()", "x.y()").error().code == errc::disconnected);
    bus.advance(1s);

    REQUIRE(log.size() == 2);
    CHECK(log[0].state == connection_state::connecting);
    CHECK_FALSE(log[0].reason.text.empty());
    CHECK(log[1].state == connection_state::connected);
    CHECK_FALSE(log[1].resumed);
    CHECK(a.me.send_reliably("app:b", "x.again()").wait());
    CHECK(next_command(b.me) == "x.again()");
}

TEST_CASE("without a window, operations under way end with disconnected") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b", "other"};
    bus.advance(1500ms);
    bus.set_loss(1);
    auto sent = a.me.send_reliably("app:b", "x.y()");
    auto asked = a.me.request("app:b", {"x.z", {}});
    bus.advance(50ms);
    bus.break_connections();
    CHECK(sent.wait(1s).error().code == errc::disconnected);
    CHECK(asked.wait(1s).error().code == errc::disconnected);
}

TEST_CASE("flush waits for what the window holds back") {
    mbus::testing::bus bus{5};
    program b{bus, "app:b"};
    program a{bus, "app:a", "here", {.window = 4, .expiry = 60s}};
    constexpr int messages = 1000;
    for (int i = 0; i < messages; ++i) REQUIRE(a.me.send("app:b", mbus::command{"demo.count", {i}}));
    REQUIRE(a.connection.flush(10s));
    for (int i = 0; i < messages; ++i) CHECK(next_command(b.me) == "demo.count(" + std::to_string(i) + ")");
}

TEST_CASE("a session with a window goes on exactly where it stopped") {
    mbus::testing::bus bus;
    program a{bus, "app:a", "here", resumable};
    program b{bus, "app:b", "here", resumable};
    std::vector<mbus::connection_event> log;
    log_states(b.connection, log);
    const auto address = b.me.address();
    std::vector<std::int64_t> seen;
    b.me.on_message([&](const mbus::received_message& m) {
        seen.push_back(*m.commands()[0].arguments[0].get_if<std::int64_t>());
    });

    for (int i = 0; i < 200; ++i) {
        REQUIRE(a.me.send("app:b", {"x.count", {i}}));
        if (i % 37 == 0) bus.break_connections();
        if (i % 5 == 0) bus.advance(3ms);
    }
    bus.advance(30s);

    REQUIRE(seen.size() == 200);
    for (std::int64_t i = 0; i < 200; ++i) CHECK(seen[static_cast<std::size_t>(i)] == i);
    CHECK(b.me.address() == address);
    CHECK(log.back().state == connection_state::connected);
    CHECK(log.back().resumed);
}

TEST_CASE("a message that waits in the program is acknowledged when it was handled, over broken connections") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b", "here", {.window = 4, .expiry = 60s}};
    for (int i = 0; i < 10; ++i) REQUIRE(a.me.send("app:b", {"x.count", {i}}));
    bus.settle();
    bus.break_connections();
    bus.advance(1s);
    for (int i = 0; i < 10; ++i) CHECK(next_command(b.me, 1s) == "x.count(" + std::to_string(i) + ")");
    CHECK(next_command(b.me).empty());
}

TEST_CASE("a session that the daemon has forgotten starts anew, and says what is unknown") {
    mbus::testing::bus bus;
    program a{bus, "app:a", "here", resumable};
    std::vector<mbus::connection_event> log;
    log_states(a.connection, log);
    bus.kill_daemon();
    bus.settle();
    REQUIRE(a.me.send("()", "x.y()"));  // waits for the session, which may come back
    bus.advance(1s);
    bus.start_daemon();
    bus.advance(20s);
    REQUIRE(log.size() == 2);
    CHECK(log[1].state == connection_state::connected);
    CHECK_FALSE(log[1].resumed);
    program b{bus, "app:b"};
    CHECK(b.me.send_reliably("app:a", "x.back()").wait());
}

TEST_CASE("a daemon that is gone is looked for with growing delays") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    bus.kill_daemon();
    bus.advance(5min);
    CHECK(a.connection.state() == connection_state::connecting);
    CHECK(a.connection.ready().wait().error().code == errc::no_daemon);
    bus.start_daemon();
    bus.advance(6s);
    CHECK(a.connection.state() == connection_state::connected);
}

TEST_CASE("without reconnecting a broken connection is closed for good") {
    mbus::testing::bus bus;
    mbus::connect_options once;
    once.reconnect.enabled = false;
    program a{bus, "app:a", "here", once};
    bus.break_connections();
    CHECK(a.me.receive(1s).error().code == errc::disconnected);
    CHECK(a.connection.state() == connection_state::closed);
    CHECK(a.connection.process().error().code == errc::disconnected);
    CHECK(a.connection.run().error().code == errc::disconnected);
    CHECK(a.connection.attach("app:x").wait().error().code == errc::disconnected);
    CHECK(a.connection.interest() == mbus::io_interest::none);
}

TEST_CASE("close() waits for acknowledgements and ends the session in order") {
    mbus::testing::bus bus;
    program a{bus, "app:a", "here", resumable};
    program b{bus, "app:b"};
    REQUIRE(a.me.send("app:b", "x.last()"));
    CHECK(a.connection.close());
    CHECK(a.connection.state() == connection_state::closed);
    CHECK(next_command(b.me) == "x.last()");
    CHECK(*b.connection.match("app:a").wait() == 0);  // its expiry does not hold it
    CHECK(a.connection.close());
}

TEST_CASE("what was sent before the connection goes, goes out") {
    mbus::testing::bus bus;
    program b{bus, "app:b"};
    {
        program a{bus, "app:a"};
        REQUIRE(a.me.send("app:b", "x.bye()"));
    }
    CHECK(next_command(b.me) == "x.bye()");
}

TEST_CASE("a connection may go inside its own handler") {
    mbus::testing::bus bus;
    auto a = std::make_unique<program>(bus, "app:a");
    program b{bus, "app:b"};
    a->me.on_message([&](const mbus::received_message&) { a.reset(); });
    REQUIRE(b.me.send("app:a", "x.y()"));
    bus.advance(1s);
    CHECK(a == nullptr);
    CHECK(*b.connection.match("app:a").wait() == 0);
}
