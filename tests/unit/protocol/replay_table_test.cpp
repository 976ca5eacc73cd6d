// The modern profile's memory of what it has seen (docs/modern-profile.md, "Replay").
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "protocol/replay_table.hpp"

using namespace mbus::protocol;
using verdict = replay_table::verdict;

namespace {
constexpr std::uint64_t noon = 1'700'000'000'000;  // some wall time, in ms
}

TEST_CASE("a number is taken once, in any order within the window") {
    replay_table seen;
    CHECK(seen.admit({1, 5000, noon}, noon) == verdict::fresh);
    CHECK(seen.admit({1, 5000, noon}, noon) == verdict::replayed);
    CHECK(seen.admit({1, 5002, noon}, noon) == verdict::fresh);
    CHECK(seen.admit({1, 5001, noon}, noon) == verdict::fresh);
    CHECK(seen.admit({1, 5001, noon}, noon) == verdict::replayed);
    CHECK(seen.admit({2, 5001, noon}, noon) == verdict::fresh);  // another sender's
}

TEST_CASE("numbers a window or more below the highest are refused, seen or not") {
    replay_table seen;
    CHECK(seen.admit({1, 1, noon}, noon) == verdict::fresh);
    CHECK(seen.admit({1, 1 + replay_window, noon}, noon) == verdict::fresh);
    CHECK(seen.admit({1, 1, noon}, noon) == verdict::replayed);
    CHECK(seen.admit({1, 2, noon}, noon) == verdict::fresh);
    CHECK(seen.admit({1, 2, noon}, noon) == verdict::replayed);
    CHECK(seen.admit({1, 10 * replay_window, noon}, noon) == verdict::fresh);
    CHECK(seen.admit({1, 9 * replay_window, noon}, noon) == verdict::replayed);
    CHECK(seen.admit({1, 9 * replay_window + 1, noon}, noon) == verdict::fresh);
}

TEST_CASE(
    "property: whatever order numbers come in, none is taken twice, and the newest window is taken once") {
    const bool holds = rc::check("replay window", [] {
        replay_table seen;
        std::set<std::uint64_t> taken;
        std::uint64_t highest = 0;
        const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-1500, 1500));
        std::uint64_t number = 1'000'000;
        for (const int step : steps) {
            number += static_cast<std::uint64_t>(step);
            const bool fresh = seen.admit({7, number, noon}, noon) == verdict::fresh;
            const bool expected =
                !taken.contains(number) && (highest == 0 || number + replay_window > highest);
            RC_ASSERT(fresh == expected);
            taken.insert(number);
            highest = std::max(highest, number);
        }
    });
    CHECK(holds);
}

TEST_CASE("an unknown sender is taken only when its time is within 30 s of ours") {
    for (const std::uint64_t away : {freshness_ms + 1, std::uint64_t{3'600'000}}) {
        replay_table seen;
        CHECK(seen.admit({1, 1, noon - away}, noon) == verdict::replayed);
        CHECK(seen.admit({1, 1, noon + away}, noon) == verdict::replayed);
        CHECK(seen.senders() == 0);
    }
    replay_table seen;
    CHECK(seen.admit({1, 1, noon - freshness_ms}, noon) == verdict::fresh);
    CHECK(seen.admit({2, 1, noon + freshness_ms}, noon) == verdict::fresh);
}

TEST_CASE("a known sender stays known when a clock is set") {
    replay_table seen;
    CHECK(seen.admit({1, 1, noon}, noon) == verdict::fresh);
    CHECK(seen.admit({1, 2, noon + 7'200'000}, noon) == verdict::fresh);      // its clock leaps
    CHECK(seen.admit({1, 3, noon + 1}, noon - 7'200'000) == verdict::fresh);  // ours leaps
}

TEST_CASE(
    "what was sent before a sender was first heard counts as unknown: an old datagram stays out after our restart") {
    replay_table restarted;
    CHECK(restarted.admit({1, 100, noon}, noon) == verdict::fresh);
    CHECK(restarted.admit({1, 99, noon - 600'000}, noon) == verdict::replayed);  // recorded ten minutes ago
    CHECK(restarted.admit({1, 98, noon - 5}, noon) == verdict::fresh);           // just late
}

TEST_CASE("a full table forgets the sender that is silent longest, and nothing of it gets in again") {
    replay_table seen{2};
    CHECK(seen.admit({1, 1, noon}, noon) == verdict::fresh);
    CHECK(seen.admit({2, 1, noon + 10}, noon + 10) == verdict::fresh);
    const auto later = noon + 10 + freshness_ms + 1;
    CHECK(seen.admit({3, 1, later}, later) == verdict::fresh);
    CHECK(seen.senders() == 2);
    CHECK(seen.admit({1, 1, noon}, later) == verdict::replayed);
    CHECK(seen.admit({2, 1, noon + 10}, later) == verdict::replayed);  // this one is still remembered
    // Our clock is set back to noon: sender 1's old datagram looks fresh again, and is still refused.
    CHECK(seen.admit({1, 1, noon}, noon) == verdict::replayed);
}

TEST_CASE(
    "while every remembered sender could be replayed, a new one is refused rather than an old one forgotten") {
    replay_table seen{2};
    CHECK(seen.admit({1, 1, noon}, noon) == verdict::fresh);
    CHECK(seen.admit({2, 1, noon}, noon) == verdict::fresh);
    CHECK(seen.admit({3, 1, noon}, noon) == verdict::full);
    CHECK(seen.admit({3, 1, noon + freshness_ms}, noon + freshness_ms) == verdict::full);
    CHECK(seen.admit({1, 1, noon}, noon + freshness_ms) == verdict::replayed);
    CHECK(seen.admit({1, 2, noon}, noon) == verdict::fresh);  // the known ones go on
    CHECK(seen.admit({3, 1, noon + freshness_ms + 1}, noon + freshness_ms + 1) == verdict::fresh);
}

TEST_CASE("any number of senders leaves the table within its limit") {
    replay_table seen{16};
    std::uint64_t now = noon;
    for (std::uint64_t sender = 1; sender < 2000; ++sender) {
        now += 3000;
        CHECK(seen.admit({sender, 1, now}, now) == verdict::fresh);
        CHECK(seen.senders() <= 16);
        CHECK(seen.admit({sender, 1, now}, now) == verdict::replayed);
    }
}
