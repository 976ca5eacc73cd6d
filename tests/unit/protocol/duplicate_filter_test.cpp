// Which numbers count as seen (trap R3), and which as played again (trap C10).
#include <set>

#include <doctest/doctest.h>

#include "protocol/duplicate_filter.hpp"
#include "protocol/random_source.hpp"
#include "protocol/sequence.hpp"

using namespace mbus::protocol;
using namespace std::chrono_literals;
using place = number_window::place;
using verdict = duplicate_filter::verdict;

TEST_CASE("a window remembers the last 1024 numbers at least") {
    number_window window;
    for (std::uint32_t number = 0; number < 5000; ++number)
        window.remember(number, time_point{} + number * 1s);
    CHECK(window.capacity() == 1024);
    for (std::uint32_t number = 5000 - 1024; number < 5000; ++number)
        CHECK(window.look(number) == place::seen);
    CHECK(window.look(5000 - 1025) == place::below);
    CHECK(window.look(5000) == place::fresh);
}

TEST_CASE("a gap leaves its numbers fresh: gaps mean nothing (trap R9)") {
    number_window window;
    window.remember(10, time_point{});
    window.remember(20, time_point{});
    CHECK(window.look(15) == place::fresh);
    window.remember(15, time_point{});
    CHECK(window.look(15) == place::seen);
    CHECK(window.look(10) == place::seen);
}

TEST_CASE("the window goes round the end of the number circle (RFC 3259 s3) [item 6]") {
    number_window window;
    for (std::uint32_t number = 4294967200U; number != 100; ++number) window.remember(number, time_point{});
    CHECK(window.look(4294967295U) == place::seen);
    CHECK(window.look(0) == place::seen);
    CHECK(window.look(99) == place::seen);
    CHECK(window.look(100) == place::fresh);
    CHECK(window.look(4294967199U) == place::fresh);
}

TEST_CASE("a fast source gets a larger window, up to a limit, and keeps what was seen") {
    number_window window;
    window.remember(0, time_point{});
    for (std::uint32_t number = 2; number < 1'000'000; number += 2)
        window.remember(number, time_point{} + number * 1us);
    CHECK(window.capacity() == number_window::capacity_max);
    CHECK(window.look(999'998) == place::seen);
    CHECK(window.look(999'997) == place::fresh);
    CHECK(window.look(999'998 - 131'000) == place::seen);
}

TEST_CASE("a window agrees with a set of all numbers, in any order") {
    const std::uint64_t seed = 2024;
    CAPTURE(seed);
    random_source random{seed};
    number_window window;
    std::set<std::uint32_t> seen;
    std::uint32_t newest = 4294960000U;
    for (int round = 0; round < 20000; ++round) {
        const auto number = newest + static_cast<std::uint32_t>(random.next() % 40) - 30;
        if (distance(newest, number) > 0) newest = number;
        const bool known = seen.contains(number);
        CHECK(window.look(number) == (known ? place::seen : place::fresh));
        window.remember(number, time_point{} + round * 1s);
        seen.insert(number);
    }
}

TEST_CASE("a number below the window is taken once: its source may have begun anew (trap R9)") {
    duplicate_filter filter;
    filter.remember(1'000'000, 50'000, time_point{});
    CHECK(filter.look(0, 50'001) == verdict::fresh);
    filter.remember(0, 50'001, time_point{});
    CHECK(filter.look(0, 50'001) == verdict::duplicate);
    CHECK(filter.look(1, 50'002) == verdict::fresh);
    CHECK(filter.look(1'000'000, 50'000) == verdict::duplicate);
}

TEST_CASE("a number below the window with a TimeStamp more than 10 s old was played again (trap C10)") {
    duplicate_filter filter;
    filter.remember(1'000'000, 50'000, time_point{});
    CHECK(filter.look(5, 40'000) == verdict::fresh);
    CHECK(filter.look(5, 39'999) == verdict::replayed);
}

TEST_CASE("a source that wrapped early meets its old numbers again without harm") {
    duplicate_filter filter;  // UCL: after 999998 comes 0
    time_point now{};
    for (std::uint32_t round = 0; round < 3; ++round) {
        for (std::uint32_t number = 990'000; number < 999'999; ++number) {
            now += 1ms;
            CHECK(filter.look(number, 1000) == verdict::fresh);
            filter.remember(number, 1000, now);
        }
        for (std::uint32_t number = 0; number < 3000; ++number) {
            now += 10ms;
            CHECK(filter.look(number, 1000) == verdict::fresh);
            filter.remember(number, 1000, now);
        }
    }
}

TEST_CASE("after silence a seen number with a newer TimeStamp belongs to a new life of its source") {
    duplicate_filter filter;
    filter.remember(3, 50'000, time_point{});
    CHECK(filter.look_after_silence(3, 50'000) == verdict::duplicate);
    CHECK(filter.look_after_silence(3, 50'001) == verdict::fresh);
    CHECK(filter.look(3, 50'001) == verdict::duplicate);
}
