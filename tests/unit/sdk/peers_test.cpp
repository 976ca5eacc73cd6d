// Who is on the bus.
#include <algorithm>

#include "fixture.hpp"

namespace {

struct change {
    std::string app;
    mbus::peer_state state;
    bool operator==(const change&) const = default;
};

std::function<void(const mbus::peer&)> into(std::vector<change>& log) {
    return [&log](const mbus::peer& who) {
        log.push_back({std::string{who.address.find("app").value_or("?")}, who.state});
    };
}

}  // namespace

using mbus::peer_state;

TEST_CASE("peers are the entities that fit a pattern, on all hosts") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "(app:b media:audio)"};
    program c{bus, "(app:c media:audio)", "other"};
    bus.advance(1500ms);

    CHECK(a.connection.peers().wait()->size() == 3);
    const auto audio = a.connection.peers("media:audio").wait();
    REQUIRE(audio);
    CHECK(audio->size() == 2);
    CHECK(std::ranges::any_of(*audio, [&](const mbus::peer& p) { return p.address == c.me.address(); }));
    CHECK(*a.connection.match("media:audio").wait() == 2);
    CHECK(*a.connection.match("app:nobody").wait() == 0);
    CHECK(a.connection.peers("(bad").wait().error().code == mbus::errc::bad_address);
}

TEST_CASE("a watch tells who is there, then who comes and goes") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    std::vector<change> log;
    const auto watch = a.connection.watch("()", into(log)).wait();
    REQUIRE(watch);
    CHECK(log == std::vector<change>{{"a", peer_state::present}});
    log.clear();

    {
        const program b{bus, "app:b"};
        const program c{bus, "app:c", "other"};
        bus.advance(1500ms);
        CHECK(log == std::vector<change>{{"b", peer_state::joined}, {"c", peer_state::joined}});
        log.clear();
    }
    bus.advance(100ms);
    std::ranges::sort(log, {}, &change::app);
    CHECK(log == std::vector<change>{{"b", peer_state::left}, {"c", peer_state::left}});
}

TEST_CASE("an entity whose host falls silent is lost") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program c{bus, "app:c", "other"};
    bus.advance(1500ms);
    std::vector<change> log;
    const auto watch = a.connection.watch("app:c", into(log)).wait();
    bus.set_plugged("other", false);
    bus.advance(10s);
    CHECK(log == std::vector<change>{{"c", peer_state::present}, {"c", peer_state::lost}});
    bus.set_plugged("other", true);
    bus.advance(2s);
    CHECK(log.back() == change{"c", peer_state::joined});
}

TEST_CASE("a watch ends with its handle") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    std::vector<change> log;
    { const auto watch = a.connection.watch("app:b", into(log)).wait(); }
    const program b{bus, "app:b"};
    bus.settle();
    CHECK(log.empty());
}

TEST_CASE("after a reconnect a watch tells the difference, and nothing twice") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    auto b = std::make_unique<program>(bus, "app:b");
    program c{bus, "app:c"};
    std::vector<change> log;
    const auto watch = a.connection.watch("media:x", into(log)).wait();
    const auto b_too = program::attach(b->connection, "(app:b media:x)");
    const auto c_too = program::attach(c.connection, "(app:c media:x)");
    bus.settle();
    log.clear();

    bus.kill_daemon();
    bus.settle();
    bus.start_daemon();
    bus.advance(20s);

    // Both came back as other entities (the daemon is a new one, and so are the ids).
    CHECK(std::ranges::count_if(log, [](const change& one) { return one.state == peer_state::joined; }) ==
          std::ranges::count_if(log, [](const change& one) { return one.state == peer_state::lost; }));
}

TEST_CASE("ping goes to the daemon and back") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    CHECK(a.connection.ping().wait());
    bus.kill_daemon();
    bus.settle();
    CHECK(a.connection.ping().wait().error().code == mbus::errc::disconnected);
}
