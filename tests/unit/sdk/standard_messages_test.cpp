// mbus.waiting, mbus.go and mbus.quit (RFC 3259, section 9).
#include "fixture.hpp"

using mbus::errc;
using mbus::symbol;

TEST_CASE("an entity can say that it waits, and another that the condition is met (RFC 3259 s9.5) [item 116]") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};

    auto waiting = a.me.wait_for(symbol{"ready"});
    const auto heard = b.me.receive(1s);
    REQUIRE(heard);
    CHECK(heard->commands() == std::vector<mbus::command>{{"mbus.waiting", {symbol{"ready"}}}});
    CHECK_FALSE(waiting.done());

    CHECK(b.me.go(heard->from, symbol{"ready"}).wait());
    CHECK(waiting.wait());
}

TEST_CASE("waiting is sent unreliably (RFC 3259 s9.5) [item 117]") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    const auto waiting = a.me.wait_for(symbol{"ready"}, b.me.address());
    CHECK_FALSE(b.me.receive(1s)->reliable);
}

TEST_CASE("waiting is repeated until the condition is met, and no longer (RFC 3259 s9.5) [item 118]") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    int heard = 0;
    b.me.on_message([&](const mbus::received_message& m) { heard += m.commands()[0].name == "mbus.waiting"; });

    auto waiting = a.me.wait_for(symbol{"ready"}, "app:b", 200ms);
    bus.advance(1100ms);
    CHECK(heard == 6);

    CHECK(b.me.go(a.me.address(), symbol{"other"}).wait());
    bus.advance(400ms);
    CHECK(heard == 8);
    CHECK_FALSE(waiting.done());

    CHECK(b.me.go(a.me.address(), symbol{"ready"}).wait());
    bus.advance(1s);
    CHECK(heard == 8);
    CHECK(waiting.wait());
}

TEST_CASE("waiting goes to all, a subgroup or one peer (RFC 3259 s9.5) [item 119]") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "(app:b media:audio)"};
    program c{bus, "(app:c media:audio)"};
    program d{bus, "(app:d media:video)"};
    const auto heard = [](program& who) { return next_command(who.me) == "mbus.waiting(go-on)"; };

    SUBCASE("all") {
        const auto waiting = a.me.wait_for(symbol{"go-on"}, "()", 1h);
        CHECK((heard(b) && heard(c) && heard(d)));
    }
    SUBCASE("a subgroup") {
        const auto waiting = a.me.wait_for(symbol{"go-on"}, "media:audio", 1h);
        CHECK((heard(b) && heard(c) && !heard(d)));
    }
    SUBCASE("one peer") {
        const auto waiting = a.me.wait_for(symbol{"go-on"}, d.me.address(), 1h);
        CHECK((!heard(b) && !heard(c) && heard(d)));
    }
}

TEST_CASE("a wait that is given up is not repeated") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    { const auto waiting = a.me.wait_for(symbol{"ready"}, "app:b", 100ms); }
    CHECK(next_command(b.me) == "mbus.waiting(ready)");
    CHECK(next_command(b.me, 1s).empty());
}

TEST_CASE("go is sent reliably to the one entity to unblock (RFC 3259 s9.6) [item 122]") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "(app:b n:1)"};
    program c{bus, "(app:b n:2)"};

    const auto sent = a.me.go("n:1", symbol{"ready"}).wait();
    REQUIRE(sent);
    CHECK(sent->by == b.me.address());
    CHECK(b.me.receive(1s)->reliable);
    CHECK(a.me.go("app:b", symbol{"ready"}).wait().error().code == errc::not_unique);
    CHECK(a.me.go("app:nobody", symbol{"ready"}).wait().error().code == errc::no_match);
    CHECK(a.me.go("n:1", std::vector<symbol>{}).wait().error().code == errc::bad_argument);
}

TEST_CASE("several go commands stand in one payload, and each releases its condition (RFC 3259 s9.6) [item 123]") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    auto one = a.me.wait_for(symbol{"one"});
    auto two = a.me.wait_for(symbol{"two"});
    auto three = a.me.wait_for(symbol{"three"});

    CHECK(b.me.go("app:a", {symbol{"one"}, symbol{"two"}}).wait());
    bus.settle();
    CHECK(one.done());
    CHECK(two.done());
    CHECK_FALSE(three.done());
}

TEST_CASE("quit reaches the program, which decides") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    REQUIRE(a.me.quit("app:b"));
    CHECK(next_command(b.me) == "mbus.quit()");
    CHECK(b.connection.state() == mbus::connection_state::connected);
}
