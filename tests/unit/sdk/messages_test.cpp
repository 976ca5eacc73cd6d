// Attaching, sending and receiving through the SDK, on the in-process bus.
#include <doctest/doctest.h>

#include <mbus/mbus.hpp>
#include <mbus/testing.hpp>

using namespace std::chrono_literals;

TEST_CASE("a message reaches the entity that it fits") {
    mbus::testing::bus bus;
    auto here = bus.connect();
    auto there = bus.connect();
    auto sender = here.attach("app:a").wait();
    auto receiver = there.attach("(app:b media:audio)").wait();
    REQUIRE(sender);
    REQUIRE(receiver);
    CHECK(receiver->address().find("id").has_value());

    REQUIRE(sender->send("media:audio", {"demo.text", {"hi", 1, 2.5, mbus::symbol{"on"}}}));
    const auto got = receiver->receive(1s);

    REQUIRE(got);
    CHECK(got->from == sender->address());
    CHECK(got->to.text() == "(media:audio)");
    CHECK(got->entity == receiver->address());
    REQUIRE(got->commands.size() == 1);
    CHECK(got->commands[0].name == "demo.text");
    CHECK(got->commands[0].arguments.size() == 4);
    CHECK_FALSE(got->reliable);
}
