// Durable sessions: what is stored before it is acknowledged, and what a killed daemon knows afterwards.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "durable_lab.hpp"

namespace {

using namespace router_test;
using mbus::mbws::key;
using mbus::mbws::verb;

std::uint32_t seed_of_run() {
    const char* given = std::getenv("MBUS_TEST_SEED");
    return given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
}

std::string attach(durable_lab& at, test_client& who, std::string_view entity) {
    who.frame(verb::attach, 0, 0, [&](mbws::frame_writer& out) {
        out.set(key::request, std::uint64_t{1}).set(key::entity, entity);
    });
    at.settle();
    const auto answer = who.take();
    REQUIRE(answer.view.verb == verb::ok);
    return std::string{answer.view.text(key::entity)};
}

// One end of two durable sessions that send numbered messages to each other, as a good client does it.
struct talker {
    std::string entity;
    std::string to;
    std::string session;
    test_client* on = nullptr;
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0;
    std::vector<std::string> got;

    void say() {
        ++sent;
        on->message(to, "n (" + std::to_string(sent) + ')', sent);
    }
    void listen() {
        while (!on->nothing()) {
            const auto frame = on->take();
            if (frame.view.verb == verb::ack) acknowledged = std::max(acknowledged, frame.view.number);
            if (frame.view.number == 0 || frame.view.verb == verb::ack) continue;
            if (frame.view.number <= received) continue;
            REQUIRE(frame.view.number == received + 1);
            received = frame.view.number;
            got.emplace_back(frame.view.body);
        }
        on->frame(verb::ack, received, 0, {});
    }
    void resume(durable_lab& at) {
        on = &at.durable(session, received);
        session = on->token;
        sent = acknowledged = at.taken_over;
    }
};

}  // namespace

TEST_CASE("given a durable session, connected and the answer to attach wait for the store") {
    const kept_state disk;
    durable_lab at{disk};
    auto& alice = at.durable();
    alice.frame(verb::attach, 0, 0, [](mbws::frame_writer& out) {
        out.set(key::request, std::uint64_t{1}).set(key::entity, "(app:a)");
    });
    CHECK(alice.nothing());
    at.settle();
    CHECK(alice.take().view.verb == verb::ok);
}

TEST_CASE("given a message for a durable session, its sender has the receipt when it is written, not before") {
    const kept_state disk;
    durable_lab at{disk};
    auto& bob = at.durable();
    const auto entity = attach(at, bob, "(app:b)");
    auto& alice = at.lab.client();
    alice.attach("(app:a)");
    alice.message(entity, "x()", 1, mbws::flag::reliable);
    CHECK(alice.nothing());
    CHECK(bob.nothing());
    at.settle();
    const auto receipt = alice.take();
    CHECK(receipt.view.verb == verb::receipt);
    CHECK_FALSE(receipt.view.has(key::code));
    CHECK(bob.take().view.body == "x()");
}

TEST_CASE("given a kill, a durable session comes back with its entity, its attach and what waits") {
    const kept_state disk;
    std::string token;
    std::string entity;
    {
        durable_lab at{disk};
        auto& bob = at.durable();
        token = bob.token;
        entity = attach(at, bob, "(app:b)");
        auto& alice = at.lab.client();
        alice.attach("(app:a)");
        alice.message("(app:b)", "x()");
        at.settle();
    }
    durable_lab at{disk};
    auto& bob = at.durable(token, 0);
    const auto waited = bob.take();
    CHECK(waited.view.body == "x()");
    CHECK(waited.view.number == 1);
    CHECK(attach(at, bob, "(app:b)") == entity);
}

TEST_CASE("given a restored session, only its own token resumes it, and the file has no token") {
    const kept_state disk;
    std::string token;
    {
        durable_lab at{disk};
        token = at.durable().token;
        at.settle();
    }
    durable_lab at{disk};
    for (const char* end : {"", "-wal"}) {
        std::ifstream file(disk.file() + end, std::ios::binary);
        const std::string octets{std::istreambuf_iterator<char>{file}, {}};
        CHECK(octets.find(token) == std::string::npos);
    }
    auto guessed = token;
    guessed.back() = guessed.back() == 'A' ? 'B' : 'A';
    auto& other = at.lab.unconnected(identity(at.lab.configuration.values.rights, "owner", {}, 0, true));
    other.connect(8, 60, guessed);
    const auto answer = other.take();
    CHECK(answer.view.integer(key::resumed) == 0);
    CHECK(at.durable(token, 0).token == token);
}

TEST_CASE("given a restart, an entity goes on above every SeqNum it used") {
    const kept_state disk;
    std::string token;
    std::uint32_t used = 0;
    {
        durable_lab at{disk};
        auto& bob = at.durable();
        token = bob.token;
        attach(at, bob, "(app:b)");
        for (std::uint64_t n = 1; n <= 5; ++n) bob.message("(app:nobody)", "x()", n);
        at.settle();
        at.lab.hub.find_session(1)->session->for_each_attachment(
            [&](const mbws::attachment& each) { used = at.lab.hub.next_sequence_number(each.handle); });
        CHECK(used >= 1);  // what waits in one turn shares a datagram
    }
    durable_lab at{disk};
    at.lab.hub.find_session(1)->session->for_each_attachment(
        [&](const mbws::attachment& each) { CHECK(at.lab.hub.next_sequence_number(each.handle) > used); });
}

TEST_CASE("given a kill before a reliable message to the bus had its outcome, the receipt says internal") {
    const kept_state disk;
    std::string token;
    {
        durable_lab at{disk};
        auto& far = at.lab.other_host();
        const auto there = far.engine.attach(at.lab.network.at, *mbus::address::parse("(app:far)"), 7);
        REQUIRE(there);
        at.lab.pass(2s);
        at.lab.carry();
        auto& bob = at.durable();
        token = bob.token;
        attach(at, bob, "(app:b)");
        bob.message("(app:far)", "x()", 1, mbws::flag::reliable);
        at.settle();
        CHECK(bob.nothing());
    }
    durable_lab at{disk};
    CHECK(at.lab.hub.counters().not_routed == 1);
    at.settle();
    auto& bob = at.durable(token, 0);
    const auto receipt = bob.take();
    CHECK(receipt.view.verb == verb::receipt);
    CHECK(receipt.view.integer(key::about) == 1);
    CHECK(receipt.view.text(key::code) == "internal");
}

TEST_CASE("given a session whose expiry is over while the daemon is away, it is gone") {
    const kept_state disk;
    std::string token;
    {
        durable_lab at{disk};
        auto& bob = at.durable();
        token = bob.token;
        attach(at, bob, "(app:b)");
        bob.lose();
        at.settle();
    }
    durable_lab at{disk};
    CHECK(at.lab.hub.sessions() == 1);
    at.lab.pass(700s);
    at.settle();
    CHECK(at.lab.hub.sessions() == 0);
}

TEST_CASE("given two durable sessions and kills at random commits, every message arrives once and in order") {
    const auto seed = seed_of_run();
    INFO("MBUS_TEST_SEED=" << seed);
    std::mt19937 random{seed};
    constexpr std::uint64_t messages = 400;
    const kept_state disk;
    auto at = std::make_unique<durable_lab>(disk);
    std::array<talker, 2> ends;
    for (auto& each : ends) {
        const bool first = &each == &ends.front();
        each.on = &at->durable();
        each.session = each.on->token;
        each.entity = attach(*at, *each.on, first ? "(app:left)" : "(app:right)");
        each.to = first ? "(app:right)" : "(app:left)";
    }
    const auto done = [&] {
        return std::ranges::all_of(ends, [&](const talker& each) { return each.got.size() == messages && each.acknowledged == messages; });
    };
    for (int steps = 0; !done(); ++steps) {
        REQUIRE(steps < 20000);
        if (random() % 40 == 0) {
            at->write(random() % 3);
            at.reset();
            at = std::make_unique<durable_lab>(disk);
            for (auto& each : ends) each.resume(*at);
        }
        for (auto& each : ends) {
            for (auto burst = random() % 20; burst > 0 && each.sent < messages && each.sent < each.acknowledged + 200; --burst) each.say();
        }
        at->lab.turn();
        at->write(random() % 2);
        if (random() % 8 == 0) at->lab.pass(30ms);
        for (auto& each : ends) each.listen();
    }
    for (const auto& each : ends) {
        for (std::uint64_t n = 1; n <= messages; ++n) CHECK(each.got[n - 1] == "n (" + std::to_string(n) + ')');
    }
}
