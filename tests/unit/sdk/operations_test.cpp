// operation<T>: the three ways to its outcome.
#include <memory>
#include <stdexcept>

#include "fixture.hpp"

using mbus::errc;

TEST_CASE("blocking: wait() gives the outcome once") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    auto operation = a.me.send_reliably("app:nobody", "x.y()");
    CHECK(operation.wait().error().code == errc::no_match);
    CHECK(operation.wait().error().code == errc::bad_argument);
}

TEST_CASE("blocking: wait() gives up after its limit, and can go on") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    auto waiting = a.me.receive();
    const auto before = bus.now();
    CHECK(waiting.wait(250ms).error().code == errc::timed_out);
    CHECK(bus.now() - before == 250ms);

    REQUIRE(b.me.send("app:a", "x.late()"));
    const auto got = waiting.wait(1s);
    REQUIRE(got);
    CHECK(got->commands()[0].name == "x.late");
}

TEST_CASE("callback: runs inside process(), also when the outcome is there already") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    int called = 0;
    auto token = std::make_unique<int>(7);  // callbacks may be move-only
    a.me.send_reliably("(bad", "x.y()").then([&called, token = std::move(token)](mbus::result<mbus::delivery> sent) {
        CHECK(sent.error().code == errc::bad_address);
        called += *token;
    });
    CHECK(called == 0);
    bus.settle();
    CHECK(called == 7);
}

TEST_CASE("callback: may wait for another operation") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    std::string inner;
    a.me.send_reliably("app:b", "x.one()").then([&](mbus::result<mbus::delivery> first) {
        REQUIRE(first);
        const auto second = a.me.send_reliably("app:b", "x.two()").wait();
        if (second) inner = second->by.text();
    });
    bus.settle();
    CHECK(inner == b.me.address().text());
}

TEST_CASE("callback: an exception leaves through process(), and the connection goes on") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    b.me.on_message([](const mbus::received_message&) { throw std::runtime_error{"handler"}; });
    REQUIRE(a.me.send("app:b", "x.y()"));
    CHECK_THROWS_AS(bus.settle(), std::runtime_error);
    b.me.on_message(nullptr);
    REQUIRE(a.me.send("app:b", "x.z()"));
    CHECK(next_command(b.me) == "x.z()");
}

namespace {

mbus::task echo(mbus::entity& me, int& handled) {
    for (;;) {
        const auto got = co_await me.receive();
        if (!got) co_return;
        const auto sent = co_await me.send_reliably(got->from, "x.echo()");
        if (sent) ++handled;
    }
}

mbus::task both(mbus::entity& me, int& handled, std::string& order) {
    order += 'a';
    co_await echo(me, handled);
    order += 'b';
}

mbus::task failing() {
    throw std::runtime_error{"task"};
    co_return;
}

}  // namespace

TEST_CASE("coroutine: co_await gives the outcome") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    int handled = 0;
    const auto task = echo(b.me, handled);
    REQUIRE(a.me.send("app:b", "x.one()"));
    REQUIRE(a.me.send("app:b", "x.two()"));
    CHECK(next_command(a.me) == "x.echo()");
    CHECK(next_command(a.me) == "x.echo()");
    bus.settle();
    CHECK(handled == 2);
    CHECK_FALSE(task.done());
}

TEST_CASE("coroutine: ends when its entity does, and whoever waits for it goes on") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    int handled = 0;
    std::string order;
    const auto task = both(a.me, handled, order);
    CHECK(order == "a");
    a.me.detach().detach();
    bus.settle();
    CHECK(task.done());
    CHECK(order == "ab");
}

TEST_CASE("coroutine: a task that is destroyed while it waits takes no message with it") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    int handled = 0;
    { const auto task = echo(b.me, handled); }
    REQUIRE(a.me.send("app:b", "x.y()"));
    CHECK(next_command(b.me) == "x.y()");
    CHECK(handled == 0);
}

TEST_CASE("coroutine: what it throws is kept for rethrow()") {
    const auto task = failing();
    CHECK(task.done());
    CHECK_THROWS_AS(task.rethrow(), std::runtime_error);
}

TEST_CASE("a receive that is given up takes no message with it") {
    mbus::testing::bus bus;
    program a{bus, "app:a"};
    program b{bus, "app:b"};
    { const auto dropped = b.me.receive(); }
    REQUIRE(a.me.send("app:b", "x.y()"));
    CHECK(next_command(b.me) == "x.y()");
}

TEST_CASE("every operation ends when its connection goes") {
    mbus::testing::bus bus;
    auto a = std::make_unique<program>(bus, "app:a");
    mbus::errc received = errc::internal;
    mbus::errc waited = errc::internal;
    a->me.receive().then([&](auto outcome) { received = outcome.error().code; });
    a->me.wait_for(mbus::symbol{"ready"}).then([&](auto outcome) { waited = outcome.error().code; });
    auto entity = std::move(a->me);
    a.reset();
    CHECK(received == errc::disconnected);
    CHECK(waited == errc::disconnected);
    CHECK(entity.send("()", "x.y()").error().code == errc::disconnected);
    CHECK(entity.receive(1s).error().code == errc::disconnected);
}

TEST_CASE("a handle that outlives everything says so") {
    std::optional<mbus::entity> entity;
    {
        mbus::testing::bus bus;
        program a{bus, "app:a"};
        entity.emplace(std::move(a.me));
    }
    CHECK(entity->send_reliably("()", "x.y()").wait().error().code == errc::disconnected);
    CHECK(entity->wait_for(mbus::symbol{"x"}).wait().error().code == errc::disconnected);
}

TEST_CASE("an operation that the daemon never answers ends by its own limit") {
    mbus::testing::bus bus;
    program a{bus, "app:a", "here", {.operation_limit = 3s}};
    bus.kill_daemon();
    bus.settle();
    const auto before = bus.now();
    const auto peers = a.connection.peers().wait();
    CHECK(peers.error().code == errc::timed_out);
    CHECK(bus.now() - before == 3s);
}
