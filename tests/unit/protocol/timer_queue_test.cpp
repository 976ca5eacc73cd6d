#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "protocol/random_source.hpp"
#include "protocol/timer_queue.hpp"

using namespace mbus::protocol;
using namespace std::chrono_literals;

TEST_CASE("timers come out in the order of their times") {
    timer_queue queue;
    timer late{queue, timer::kind::hello, nullptr};
    timer soon{queue, timer::kind::retransmit, nullptr};
    late.set(time_point{} + 2s);
    soon.set(time_point{} + 1s);
    CHECK(queue.next() == time_point{} + 1s);
    CHECK(queue.take_due(time_point{} + 999ms) == nullptr);
    CHECK(queue.take_due(time_point{} + 3s) == &soon);
    CHECK(queue.take_due(time_point{} + 3s) == &late);
    CHECK(queue.next() == never);
}

TEST_CASE("a cancelled or destroyed timer never comes") {
    timer_queue queue;
    timer cancelled{queue, timer::kind::hello, nullptr};
    cancelled.set(time_point{});
    {
        timer destroyed{queue, timer::kind::hello, nullptr};
        destroyed.set(time_point{});
    }
    cancelled.set(never);
    CHECK(queue.size() == 0);
    CHECK(queue.take_due(time_point{} + 1h) == nullptr);
}

TEST_CASE("any mixture of setting, moving and cancelling keeps the order") {
    const std::uint64_t seed = 77;
    CAPTURE(seed);
    random_source random{seed};
    timer_queue queue;
    std::vector<std::unique_ptr<timer>> all;
    for (int index = 0; index < 300; ++index)
        all.push_back(std::make_unique<timer>(queue, timer::kind::hello, nullptr));
    for (int round = 0; round < 20000; ++round) {
        auto& which = *all[random.next() % all.size()];
        if (random.next() % 4 == 0)
            which.cancel();
        else
            which.set(time_point{} + std::chrono::milliseconds{random.next() % 1000});
        if (round % 100 != 0) continue;
        auto earliest = never;
        for (const auto& each : all) earliest = std::min(earliest, each->at());
        CHECK(queue.next() == earliest);
    }
    auto previous = time_point{};
    while (queue.next() != never) {
        CHECK(queue.next() >= previous);
        previous = queue.next();
        CHECK(queue.take_due(previous) != nullptr);
    }
    CHECK(queue.size() == 0);
}
