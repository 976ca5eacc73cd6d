// Durable queues: who gets which job, what becomes of those that nobody finished.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "durable_lab.hpp"
#include "router/queue_table.hpp"

namespace {

using namespace router_test;
using mbus::mbws::key;
using mbus::mbws::verb;

// A reader with a session that ends with its connection. The answer to its attach is taken.
test_client& reader(durable_lab& at, std::uint32_t window = 8, std::string_view entity = "(app:jobs)") {
    auto& out = at.lab.client(window);
    out.frame(verb::attach, 0, 0, [&](mbws::frame_writer& to) {
        to.set(key::request, std::uint64_t{1}).set(key::mode, "queue").set(key::queue, "jobs").set_if(key::entity, entity);
    });
    const auto answer = out.take();
    REQUIRE(answer.view.verb == verb::ok);
    at.settle();
    return out;
}

void put(durable_lab& at, test_client& sender, int from, int to) {
    for (int n = from; n <= to; ++n) sender.message("(app:jobs)", "job (" + std::to_string(n) + ')');
    at.settle();
}

// The number of the next message; acks before it are passed over.
std::uint64_t next_job(test_client& from) {
    for (;;) {
        const auto frame = from.take();
        if (frame.view.verb == verb::message) return frame.view.number;
        REQUIRE(frame.view.verb == verb::ack);
    }
}

test_client& sender_of(durable_lab& at) {
    auto& out = at.lab.client();
    out.attach("(app:sender)");
    return out;
}

}  // namespace

TEST_CASE("given two readers, jobs go to them in turn, at most their window to each") {
    const kept_state disk;
    durable_lab at{disk};
    auto& first = reader(at, 2);
    auto& second = reader(at, 2);
    auto& sender = sender_of(at);
    put(at, sender, 1, 6);
    CHECK(first.take().view.body == "job (1)");
    CHECK(second.take().view.body == "job (2)");
    CHECK(first.take().view.body == "job (3)");
    CHECK(second.take().view.body == "job (4)");
    CHECK(first.nothing());
    CHECK(second.nothing());
    second.frame(verb::ack, 1, 0, {});
    at.settle();
    CHECK(second.take().view.body == "job (5)");
    CHECK(first.nothing());
}

TEST_CASE("given a reader that ends, its jobs go to another before all newer ones, flagged") {
    const kept_state disk;
    durable_lab at{disk};
    auto& first = reader(at, 2);
    auto& sender = sender_of(at);
    put(at, sender, 1, 4);
    CHECK(first.take().view.body == "job (1)");
    CHECK(first.take().view.body == "job (2)");
    first.lose();
    at.settle();
    auto& second = reader(at, 8);
    for (int n = 1; n <= 4; ++n) {
        const auto job = second.take();
        CHECK(job.view.body == "job (" + std::to_string(n) + ')');
        CHECK(job.view.redelivered() == (n <= 2));
    }
}

TEST_CASE("given a job refused five times, it goes to the dead queue") {
    const kept_state disk;
    durable_lab at{disk};
    auto& only = reader(at, 1);
    auto& sender = sender_of(at);
    put(at, sender, 1, 1);
    for (std::uint64_t tries = 1; tries <= 5; ++tries) {
        const auto number = next_job(only);
        only.frame(verb::nak, tries, 0, [&](mbws::frame_writer& out) { out.set(key::about, number); });
        only.frame(verb::ack, number, 0, {});
        at.settle();
    }
    while (!only.nothing()) CHECK(only.take().view.verb == verb::ack);
    auto* queues = at.lab.hub.queues();
    REQUIRE(queues->find("jobs.dead") != nullptr);
    CHECK(queues->find("jobs.dead")->waiting() == 1);
    CHECK(queues->find("jobs")->jobs() == 0);
}

TEST_CASE("given a full queue, a reliable sender is refused and an unreliable message is counted") {
    const kept_state disk;
    durable_lab at{disk, "[queues]\nmessages = 2\n"};
    reader(at, 1).lose();
    auto& sender = sender_of(at);
    put(at, sender, 1, 3);
    auto* jobs = at.lab.hub.queues()->find("jobs");
    CHECK(jobs->jobs() == 2);
    CHECK(jobs->counters().dropped == 1);
    sender.message("(app:jobs)", "job (4)", 1, mbws::flag::reliable);
    at.settle();
    const auto receipt = sender.take();
    CHECK(receipt.view.text(key::code) == "overflow");
    CHECK(jobs->counters().refused == 1);
}

TEST_CASE("given a limit of age, jobs that nobody took in time are dropped and counted") {
    const kept_state disk;
    durable_lab at{disk, "[queues]\nage_seconds = 10\n"};
    reader(at, 1).lose();
    auto& sender = sender_of(at);
    put(at, sender, 1, 2);
    at.lab.pass(5s);
    put(at, sender, 3, 3);
    at.lab.pass(6s);
    at.settle();
    auto* jobs = at.lab.hub.queues()->find("jobs");
    CHECK(jobs->jobs() == 1);
    CHECK(jobs->counters().expired == 2);
}

TEST_CASE("given a job whose ttl ends with a reader that dies, it is not delivered again") {
    const kept_state disk;
    durable_lab at{disk, "[queues]\nage_seconds = 10\n"};
    auto& first = reader(at, 1);
    put(at, sender_of(at), 1, 1);
    CHECK(first.take().view.body == "job (1)");
    at.lab.pass(11s);
    CHECK(at.lab.hub.queues()->find("jobs")->jobs() == 1);
    first.lose();
    at.settle();
    CHECK(reader(at, 1).nothing());
    CHECK(at.lab.hub.queues()->find("jobs")->counters().expired == 1);
}

TEST_CASE("given a reader whose session is full, its job waits without turning in a circle, and comes when there is room") {
    const kept_state disk;
    durable_lab at{disk, "[limits]\nqueue_messages = 16\n"};
    auto& only = reader(at, 4);
    only.frame(verb::attach, 0, 0, [](mbws::frame_writer& out) {
        out.set(key::request, std::uint64_t{2}).set(key::entity, "(app:busy)");
    });
    CHECK(only.take().view.verb == verb::ok);
    auto& sender = sender_of(at);
    constexpr int room = 16;
    for (int n = 1; n <= room; ++n) sender.message("(app:busy)", "x()");
    put(at, sender, 1, 1);
    CHECK(at.held() == 0);
    auto* jobs = at.lab.hub.queues()->find("jobs");
    CHECK(jobs->waiting() == 1);
    for (std::uint64_t n = 1; n <= 4; ++n) CHECK(only.take().view.number == n);
    only.frame(verb::ack, 4, 0, {});
    at.lab.pass(200ms);
    at.settle();
    for (std::uint64_t n = 5; n <= 8; ++n) CHECK(only.take().view.number == n);
    for (std::uint64_t n = 9; n <= room; ++n) {
        only.frame(verb::ack, n - 1, 0, {});
        CHECK(only.take().view.number == n);
    }
    only.frame(verb::ack, room, 0, {});
    const auto job = only.take();
    CHECK(job.view.body == "job (1)");
    CHECK_FALSE(job.view.redelivered());
}

TEST_CASE("given a removed queue, its readers' acks have no effect and its address is free") {
    const kept_state disk;
    {
        durable_lab at{disk};
        auto& only = reader(at, 2);
        auto& sender = sender_of(at);
        put(at, sender, 1, 2);
        CHECK(only.take().view.body == "job (1)");
        CHECK(at.lab.hub.queues()->remove("jobs"));
        at.settle();
        only.frame(verb::ack, 1, 0, {});
        at.settle();
        CHECK(at.lab.hub.queues()->size() == 0);
    }
    durable_lab again{disk};
    CHECK(again.lab.hub.queues()->size() == 0);
}

TEST_CASE("given readers and daemons that die at random, no job is lost, and none comes twice without the flag") {
    const char* given = std::getenv("MBUS_TEST_SEED");
    const auto seed = given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
    INFO("MBUS_TEST_SEED=" << seed);
    std::mt19937 random{seed};
    constexpr int jobs = 300;
    const kept_state disk;
    auto at = std::make_unique<durable_lab>(disk, "");
    std::map<std::string, int> unflagged;
    std::set<std::string> done;
    std::vector<test_client*> readers;
    auto* sender = &sender_of(*at);
    reader(*at, 1).lose();
    at->settle();
    int sent = 0;
    for (int steps = 0; static_cast<int>(done.size()) < jobs; ++steps) {
        REQUIRE(steps < 20000);
        while (readers.size() < 3) readers.push_back(&reader(*at, 4, ""));
        if (sent < jobs && random() % 2 == 0) {
            const int upto = std::min(jobs, sent + 1 + static_cast<int>(random() % 8));
            put(*at, *sender, sent + 1, upto);  // stored, so that the test knows them
            sent = upto;
        }
        for (auto* each : readers) {
            std::uint64_t last = 0;
            while (!each->nothing()) {
                const auto job = each->take();
                if (job.view.verb != verb::message) continue;
                const std::string body{job.view.body};
                if (!job.view.redelivered()) CHECK(++unflagged[body] == 1);
                else CHECK(true);
                last = job.view.number;
                done.insert(body);
            }
            if (last != 0 && random() % 4 != 0) each->frame(verb::ack, last, 0, {});
        }
        if (random() % 4 == 0) at->write(random() % 3);
        if (random() % 16 == 0) {
            const auto which = random() % readers.size();
            readers[which]->lose();
            readers.erase(readers.begin() + static_cast<std::ptrdiff_t>(which));
        }
        if (random() % 64 == 0) {
            at.reset();
            readers.clear();
            at = std::make_unique<durable_lab>(disk, "");
            sender = &sender_of(*at);
        }
    }
    CHECK(sent == jobs);
}
