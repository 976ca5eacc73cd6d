// The hot path allocates nothing in steady traffic (docs/performance.md). A program of its own: it
// replaces operator new.
#include "fixtures.hpp"

#include <cstdlib>
#include <new>

namespace {
std::size_t allocations = 0;
std::size_t allocated_octets = 0;
}

void* operator new(std::size_t octets) {
    ++allocations;
    allocated_octets += octets;
    if (void* const block = std::malloc(octets == 0 ? 1 : octets)) return block;
    throw std::bad_alloc{};
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace mbus::mbws::testing {
namespace {

// Routes to one receiver, like the daemon's router after its cache.
struct one_receiver {
    test_host host;
    test_client receiver{host};
    message_preparer preparer;

    void round(std::string_view body) {
        for (int i = 0; i < 100; ++i) {
            const auto ready =
                preparer.prepare({.to = "(app:player)", .from = "(app:a id:1-1@127.0.0.1)", .body = body});
            CHECK(receiver.session().offer(start, ready, {.slot = 0}) == offer_result::taken);
        }
        receiver.connection.fill(start);
        std::array<octet_span, 64> spans;
        while (receiver.port.waiting() > 0) {
            const std::size_t count = receiver.port.gather(spans);
            std::size_t octets = 0;
            for (std::size_t i = 0; i < count; ++i) octets += spans[i].size;
            receiver.port.consumed(octets);
        }
    }
};

}  // namespace

TEST_CASE("a delivery with window 0 allocates nothing in steady traffic") {
    one_receiver system;
    system.receiver.ready();
    system.receiver.attach(2, "(app:second)");  // so that deliveries carry `entity`
    const std::string body(64, 'x');
    for (int i = 0; i < 3; ++i) system.round(body);
    const std::size_t before = allocations;
    for (int i = 0; i < 10; ++i) system.round(body);
    CHECK(allocations == before);
}

TEST_CASE("a windowed delivery allocates nothing in steady traffic") {
    one_receiver system;
    system.receiver.ready(256, 60);
    const std::string body(64, 'x');
    std::uint64_t number = 0;
    frame_view ack;
    ack.verb = verb::ack;
    const auto round = [&] {
        for (int i = 0; i < 32; ++i) {
            const auto ready = system.preparer.prepare({.to = "()", .from = "(id:1-1@h)", .body = body});
            system.receiver.session().offer(start, ready, {.slot = 0});
        }
        system.receiver.connection.fill(start);
        system.receiver.port.consumed(system.receiver.port.waiting());
        ack.number = number += 32;
        system.receiver.connection.handle(start, ack);
    };
    for (int i = 0; i < 10; ++i) round();
    const std::size_t before = allocations;
    for (int i = 0; i < 100; ++i) round();
    CHECK(allocations == before);
}

namespace {

// A reader of runs with a window.
struct run_receiver {
    test_host host;
    test_client receiver{host};
    message_preparer preparer;
    message_run run{preparer};
    std::uint64_t number = 0;

    run_receiver() {
        receiver.port.remembers(addresses_of_broker);
        receiver.ready(256, 60);
    }
    void offer(int messages, std::string_view body) {
        REQUIRE(run.begin("(app:player)", "(app:a id:1-1@127.0.0.1)"));
        for (int i = 0; i < messages; ++i) REQUIRE(run.add(7, body));
        REQUIRE(receiver.session().can_take(run, 0));
        REQUIRE(receiver.session().offer_run(start, run, {.slot = 0}) == offer_result::taken);
        run.end();
    }
    void write_out() {
        receiver.connection.fill(start);
        receiver.port.consumed(receiver.port.waiting());
    }
    void acknowledge(std::uint64_t messages) {
        frame_view ack;
        ack.verb = verb::ack;
        ack.number = number += messages;
        receiver.connection.handle(start, ack);
    }
};

}  // namespace

TEST_CASE("a windowed delivery of runs allocates nothing in steady traffic") {
    for (const int messages : {1, 8, 200}) {
        CAPTURE(messages);
        run_receiver system;
        const std::string body(64, 'x');
        const auto round = [&] {
            system.offer(messages, body);
            system.offer(1, body);
            system.write_out();
            system.acknowledge(static_cast<std::uint64_t>(messages) + 1);
        };
        for (int i = 0; i < 10; ++i) round();
        const std::size_t before = allocations;
        for (int i = 0; i < 100; ++i) round();
        CHECK(allocations == before);
    }
}

TEST_CASE("runs of few messages that wait for a slow reader need little more memory than their octets") {
    run_receiver system;
    const std::string body(64, 'x');
    for (int i = 0; i < 100; ++i) {
        system.offer(200, body);  // large storage, to be used again
        system.write_out();
        system.acknowledge(200);
    }
    const std::size_t before = allocated_octets;
    for (int i = 0; i < 10000; ++i) system.offer(1, body);
    CHECK(system.receiver.session().queued_messages() == 10000);
    CHECK(allocated_octets - before < 2 * system.receiver.session().queued_octets() + std::size_t{10000} * 400);
}

TEST_CASE("a receipt that waits allocates nothing in steady traffic") {
    message_preparer pool;
    test_host host;
    host.pool = &pool;
    test_client sender{host};
    sender.ready(256, 60);
    const route_report report{.matched = 1, .entity = "(app:player id:7-1@127.0.0.1)", .tried = 1};
    std::uint64_t number = 0;
    frame_view ack;
    ack.verb = verb::ack;
    const auto round = [&] {
        for (int i = 0; i < 32; ++i) sender.session().receipt(++number, report);
        sender.connection.fill(start);
        sender.port.consumed(sender.port.waiting());
        ack.number = number;
        sender.connection.handle(start, ack);
    };
    for (int i = 0; i < 10; ++i) round();
    const std::size_t before = allocations;
    for (int i = 0; i < 100; ++i) round();
    CHECK(allocations == before);
}

TEST_CASE("a preparer keeps what a burst needed until it is trimmed") {
    message_preparer preparer;
    const auto burst = [&] {
        std::vector<message_ref> held;
        held.reserve(2000);
        const std::size_t before = allocations;
        for (int i = 0; i < 2000; ++i)
            held.push_back(preparer.prepare(
                {.to = "(app:player)", .from = "(app:a id:1-1@127.0.0.1)", .body = "a.b()"}));
        return allocations - before;
    };
    burst();
    CHECK(burst() == 0);
    preparer.trim();
    CHECK(burst() >= 2000 - 256);
    CHECK(burst() == 0);
}

TEST_CASE("reading and checking a client's message allocates nothing but what the host keeps") {
    test_host host;
    test_client client{host};
    client.ready();
    std::string stream;
    for (int i = 0; i < 100; ++i) {
        REQUIRE(frame_writer{stream, verb::message}
                    .set(key::to, "(app:player)")
                    .finish("player.volume(80 \"left\")"));
    }
    frame_reader reader;
    const auto round = [&] {
        host.routed.clear();
        host.routed.reserve(100);
        reader.feed(stream);
        frame_view frame;
        std::size_t kept = 0;
        while (reader.next(frame) == frame_reader::status::frame) {
            const std::size_t before = allocations;
            client.connection.handle(start, frame);
            kept += allocations - before;
        }
        return kept;
    };
    round();
    // test_host copies the from address and the body, which no short string holds.
    CHECK(round() == 200);
}

}  // namespace mbus::mbws::testing
