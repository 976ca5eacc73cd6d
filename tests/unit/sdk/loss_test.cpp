// mbus::testing itself: hosts, loss, virtual time.
#include "fixture.hpp"

using mbus::errc;

TEST_CASE("over a wire that loses 30 % every reliable send ends once, and acknowledged ones were delivered once") {
    constexpr std::uint64_t seed = 20261120;
    INFO("seed ", seed);
    mbus::testing::bus bus{seed};
    program a{bus, "app:a", "one"};
    program b{bus, "app:b", "two"};
    bus.advance(1500ms);
    bus.set_loss(0.3);
    std::vector<int> delivered(1000, 0);
    b.me.on_message([&](const mbus::received_message& m) {
        ++delivered.at(static_cast<std::size_t>(*m.commands()[0].arguments[0].get_if<std::int64_t>()));
    });

    std::vector<int> ended(1000, 0);
    int acknowledged = 0;
    for (int i = 0; i < 1000; ++i) {
        a.me.send_reliably("app:b", {"x.count", {i}}).then([&, i](mbus::result<mbus::delivery> sent) {
            ++ended[static_cast<std::size_t>(i)];
            if (!sent) {
                // Enough lost hellos, and the receiver counts as gone.
                CHECK((sent.error().code == errc::not_acknowledged || sent.error().code == errc::no_match));
                return;
            }
            ++acknowledged;
            CHECK(delivered[static_cast<std::size_t>(i)] == 1);
        });
        bus.advance(20ms);
    }
    bus.advance(5s);

    CHECK(acknowledged >= 900);
    for (const int count : ended) CHECK(count == 1);
    for (const int count : delivered) CHECK(count <= 1);
    CHECK(bus.wire().lost > 0);
}

TEST_CASE("the same seed gives the same run") {
    const auto run = [](std::uint64_t seed) {
        mbus::testing::bus bus{seed};
        program a{bus, "app:a", "one"};
        program b{bus, "app:b", "two"};
        bus.set_loss(0.5);
        bus.set_delay(2ms, 5ms);
        bus.set_duplication(0.1);
        bus.advance(60s);
        return std::pair{bus.wire().datagrams, bus.wire().lost};
    };
    CHECK(run(1) == run(1));
    CHECK(run(1) != run(2));
}

TEST_CASE("a host that is unplugged does not acknowledge") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b", "other"};
    bus.advance(1500ms);
    bus.set_plugged("other", false);
    const auto before = bus.now();
    CHECK(a.me.send_reliably("app:b", "x.y()").wait().error().code == errc::not_acknowledged);
    CHECK(bus.now() - before == 1s);  // 100 + 200 + 300 + 400 ms (RFC 3259, section 7)
}

TEST_CASE("time stands still until somebody moves it") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    const auto before = bus.now();
    REQUIRE(a.me.send("()", "x.y()"));
    bus.settle();
    CHECK(bus.now() == before);
    bus.advance(1h);
    CHECK(bus.now() == before + 1h);
}
