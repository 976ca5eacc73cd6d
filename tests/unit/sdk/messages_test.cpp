// Attaching, sending and receiving.
#include <limits>

#include "fixture.hpp"

using mbus::errc;

TEST_CASE("a message reaches the entity that it fits") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "(app:b media:audio)"};
    CHECK(b.me.address().find("id").has_value());

    REQUIRE(a.me.send("media:audio", {"demo.text", {"hi", 1, 2.5, mbus::symbol{"on"}}}));
    const auto got = b.me.receive(1s);

    REQUIRE(got);
    CHECK(got->from == a.me.address());
    CHECK(got->to.text() == "(media:audio)");
    CHECK(got->entity == b.me.address());
    REQUIRE(got->commands().size() == 1);
    CHECK(got->commands()[0] == mbus::command{"demo.text", {"hi", 1, 2.5, mbus::symbol{"on"}}});
    CHECK_FALSE(got->reliable);
    CHECK_FALSE(got->redelivered);
}

TEST_CASE("a boolean is an integer, 0 is false and anything else true [item 42]") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};

    REQUIRE(a.me.send("app:b", {"x.flags", {0, 1, -7, true}}));
    const auto got = b.me.receive(1s);

    REQUIRE(got);
    const auto& flags = got->commands()[0].arguments;
    CHECK_FALSE(*flags[0].as_boolean());
    CHECK(*flags[1].as_boolean());
    CHECK(*flags[2].as_boolean());
    CHECK(*flags[3].as_boolean());
}

TEST_CASE("several commands of one message come in their order") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};

    REQUIRE(a.me.send("app:b", {mbus::command{"x.one", {1}}, mbus::command{"x.two", {}}}));
    REQUIRE(a.me.send("app:b", "x.three(3)\r\nx.four()"));

    CHECK(next_command(b.me) == "x.one(1) x.two()");
    CHECK(next_command(b.me) == "x.three(3) x.four()");
}

TEST_CASE("a reliable message ends with who acknowledged it, or why not") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "(app:b n:1)"};
    program c{bus, "(app:b n:2)"};

    const auto sent = a.me.send_reliably("n:1", "x.y()").wait();
    REQUIRE(sent);
    CHECK(sent->by == b.me.address());
    CHECK(sent->tried == 1);
    CHECK(b.me.receive(1s)->reliable);

    CHECK(a.me.send_reliably("app:nobody", "x.y()").wait().error().code == errc::no_match);
    CHECK(a.me.send_reliably("app:b", "x.y()").wait().error().code == errc::not_unique);
}

TEST_CASE("a receipt tells how many entities matched") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "(app:b n:1)"};
    program c{bus, "(app:b n:2)"};
    CHECK(a.me.send_with_receipt("app:b", "x.y()").wait()->matched == 2);
    CHECK(a.me.send_with_receipt("app:nobody", "x.y()").wait()->matched == 0);
}

TEST_CASE("what can't be sent is refused before it leaves the process, with a sentence") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    CHECK(a.me.send("(app", "x.y()").error().code == errc::bad_address);
    CHECK(a.me.send("()", "x.y").error().code == errc::bad_command);
    CHECK(a.me.send("()", {"x.y", {std::string(1, '\0')}}).error().code == errc::bad_value);
    CHECK(a.me.send("()", {"x.y", {std::numeric_limits<double>::infinity()}}).error().code == errc::bad_value);
    CHECK(a.me.send("()", "mbus.hello()").error().code == errc::bad_command);
    CHECK(a.me.send("()", "mbus.own()").error().code == errc::bad_command);
    CHECK(a.me.send("()", mbus::payload::opaque("", "x")).error().code == errc::bad_argument);
    CHECK(a.me.send("()", mbus::payload::opaque("no type", "x")).error().code == errc::bad_argument);
    CHECK(a.me.send_reliably("()", "x.y").wait().error().code == errc::bad_command);
    CHECK(a.connection.attach("(app:x app:y)").wait().error().code == errc::bad_address);
}

TEST_CASE("a message that the daemon refuses is told to on_refused") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    std::vector<mbus::error> refused;
    a.me.on_refused([&](const mbus::error& why) { refused.push_back(why); });

    REQUIRE(a.me.send("()", {"x.large", {std::string(70'000, 'x')}}));
    bus.settle();
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].code == errc::too_large);

    REQUIRE(a.me.send("()", "x.small()"));
    bus.settle();
    CHECK(refused.size() == 1);
}

TEST_CASE("a handler gets what waited, then what comes, and may be replaced") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    std::vector<std::string> seen;
    REQUIRE(a.me.send("app:b", "x.first()"));
    REQUIRE(a.me.send("app:b", "x.second()"));
    bus.settle();

    b.me.on_message([&](const mbus::received_message& m) {
        seen.push_back(m.commands()[0].name);
        if (m.commands()[0].name == "x.third") b.me.on_message(nullptr);
    });
    REQUIRE(a.me.send("app:b", "x.third()"));
    REQUIRE(a.me.send("app:b", "x.fourth()"));
    bus.settle();

    CHECK(seen == std::vector<std::string>{"x.first", "x.second", "x.third"});
    CHECK(next_command(b.me) == "x.fourth()");
}

TEST_CASE("an entity gets only the commands that it asked for") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:other"};
    auto picky = program::attach(b.connection, "app:b", {.commands = "player.*,mixer.mute"});

    for (const char* text : {"player.play()", "mixer.gain(1)", "mixer.mute(1)", "x.return()"}) {
        REQUIRE(a.me.send("app:b", text));
    }

    CHECK(next_command(picky) == "player.play()");
    CHECK(next_command(picky) == "mixer.mute(1)");
    CHECK(next_command(picky).empty());
}

TEST_CASE("an opaque body reaches who asked for its type, all others as mbws.data") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "(app:b n:1)"};
    auto viewer = program::attach(b.connection, "(app:b n:2)", {.types = "image/png"});
    const std::string octets("\x89PNG\0\xFF", 6);

    REQUIRE(a.me.send("app:b", mbus::payload::opaque("image/png", octets)));

    const auto raw = viewer.receive(1s);
    REQUIRE(raw);
    CHECK(raw->type == "image/png");
    CHECK(raw->body == octets);
    CHECK(raw->commands().empty());
    CHECK(next_command(b.me) == "mbws.data(\"image/png\" <iVBORwD/>)");
}

TEST_CASE("a monitor sees what others say to each other") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    program m{bus, "app:m"};
    auto monitor = program::attach(m.connection, "()", {.mode = mbus::attach_mode::monitor});

    REQUIRE(a.me.send("app:b", "x.secret()"));

    const auto seen = monitor.receive(1s);
    REQUIRE(seen);
    CHECK(seen->monitored);
    CHECK(seen->from == a.me.address());
    CHECK(seen->to.text() == "(app:b)");
    CHECK(monitor.send("()", "x.y()").error().code == errc::no_entity);
}

TEST_CASE("each entity of a connection gets its own messages and sends under its own address") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "(app:b n:1)"};
    auto second = program::attach(b.connection, "(app:b n:2)");

    REQUIRE(a.me.send("n:2", "x.two()"));
    REQUIRE(a.me.send("n:1", "x.one()"));
    CHECK(next_command(second) == "x.two()");
    CHECK(next_command(b.me) == "x.one()");

    REQUIRE(second.send("app:a", "x.hello()"));
    CHECK(a.me.receive(1s)->from == second.address());
}

TEST_CASE("an entity leaves the bus with its handle") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:other"};
    {
        const auto gone = program::attach(b.connection, "app:b");
        CHECK(a.me.send_reliably("app:b", "x.y()").wait());
    }
    bus.settle();
    CHECK(a.me.send_reliably("app:b", "x.y()").wait().error().code == errc::no_match);

    auto other = program::attach(b.connection, "app:b");
    CHECK(other.detach().wait());
    CHECK(other.send("()", "x.y()").error().code == errc::disconnected);
    CHECK(other.receive(1s).error().code == errc::disconnected);
}

TEST_CASE("a full address that exists is refused") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    const auto twin = a.connection.attach(a.me.address()).wait();
    REQUIRE_FALSE(twin);
    CHECK(twin.error().code == errc::conflict);
}

TEST_CASE("an inbox that nobody reads is bounded, and says what it dropped") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    std::uint64_t told = 0;
    b.connection.on_missed([&](std::uint64_t count) { told += count; });
    const std::string large(60'000, 'x');  // 200 of them are more than inbox_octets_max
    for (int i = 0; i < 200; ++i) {
        REQUIRE(a.me.send("app:b", {"x.large", {i, large}}));
        bus.settle();
    }
    CHECK(told > 0);
    CHECK(b.connection.missed() == told);
    const auto oldest = b.me.receive(1s);
    REQUIRE(oldest);
    CHECK(*oldest->commands()[0].arguments[0].get_if<std::int64_t>() == static_cast<std::int64_t>(told));
}
