// The variables and rules of RFC 3259, section 8, under a clock of our own.
#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "protocol/hello_schedule.hpp"

using namespace mbus::protocol;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{};

// A schedule that has said its first hello at `start + 2s`, among `members`.
hello_schedule running(random_source& random, std::size_t members) {
    hello_schedule out{start, random};
    CHECK(out.expire(start + 2s, members, random));
    return out;
}

}  // namespace

TEST_CASE(
    "hello_d is 200 ms for each entity, oneself included, at least 1000 ms (RFC 3259 s8.1.1) [item 96]") {
    CHECK(hello_interval(1) == 1000ms);
    CHECK(hello_interval(5) == 1000ms);
    CHECK(hello_interval(6) == 1200ms);
    CHECK(hello_interval(50) == 10000ms);
    CHECK(hello_interval(100) == 20s);
}

TEST_CASE("hello_e is hello_d times a random factor of 0.9 to 1.1 (RFC 3259 s8.1.1, trap W1) [item 97]") {
    random_source random{42};
    std::vector<duration> gaps;
    for (int sample = 0; sample < 1000; ++sample) {
        const auto schedule = running(random, 10);
        gaps.push_back(schedule.next_hello() - schedule.last_hello());
    }
    const auto [shortest, longest] = std::ranges::minmax(gaps);
    CHECK(shortest >= 1800ms);
    CHECK(longest <= 2200ms);
    CHECK(shortest < 1820ms);
    CHECK(longest > 2180ms);
}

TEST_CASE("joining sets hello_p = now and entities_p = 1 (RFC 3259 s8.1.2) [item 98]") {
    random_source random{1};
    const hello_schedule schedule{start + 5s, random};
    CHECK(schedule.last_hello() == start + 5s);
    CHECK(schedule.entities_then() == 1);
}

TEST_CASE("the first hello comes after a random delay of up to 1000 ms (RFC 3259 s9.1, trap W2) [item 106]") {
    random_source random{3};
    std::vector<duration> delays;
    for (int sample = 0; sample < 100; ++sample) {
        hello_schedule schedule{start, random};
        delays.push_back(schedule.deadline() - start);
        // However many others were heard meanwhile: the first one is not put off.
        CHECK(schedule.expire(schedule.deadline(), 500, random));
    }
    const auto [shortest, longest] = std::ranges::minmax(delays);
    CHECK(shortest >= 0ms);
    CHECK(longest <= 1000ms);
    CHECK(shortest < 100ms);
    CHECK(longest > 900ms);
}

TEST_CASE("growth changes nothing until the timer expires (RFC 3259 s8.1.3) [item 99]") {
    random_source random{4};
    auto schedule = running(random, 2);
    const auto before = schedule.next_hello();
    CHECK_FALSE(schedule.expire(before - 1ms, 50, random));
    CHECK(schedule.next_hello() == before);
    CHECK(schedule.entities_then() == 2);
}

TEST_CASE(
    "shrinking rescales hello_n and hello_p and sets entities_p (RFC 3259 s8.1.4, trap W6) [item 100]") {
    random_source random{5};
    auto schedule = running(random, 10);
    const auto said = schedule.last_hello();
    const auto next = schedule.next_hello();
    const auto now = said + (next - said) / 2;
    schedule.shrink(now, 5);
    CHECK(schedule.next_hello() == now + (next - now) / 2);
    CHECK(schedule.last_hello() == now - (now - said) / 2);
    CHECK(schedule.entities_then() == 5);
}

TEST_CASE("a loss after a larger growth does not push the hello out (trap W6)") {
    random_source random{6};
    auto schedule = running(random, 10);
    const auto next = schedule.next_hello();
    schedule.shrink(schedule.last_hello() + 100ms, 19);  // grew to 20, lost one
    CHECK(schedule.next_hello() == next);
    CHECK(schedule.entities_then() == 10);
}

TEST_CASE(
    "at expiry the interval is taken anew: after growth no hello yet (RFC 3259 s8.1.5) [item 101] [item 102]") {
    random_source random{7};
    auto schedule = running(random, 5);
    const auto said = schedule.last_hello();
    const auto due = schedule.next_hello();
    CHECK_FALSE(schedule.expire(due, 50, random));
    CHECK(schedule.last_hello() == said);
    CHECK(schedule.next_hello() >= said + 9s);
    CHECK(schedule.next_hello() <= said + 11s);
    CHECK(schedule.entities_then() == 50);
    // Re-armed until an interval taken anew has passed: at the latest after the longest one.
    while (!schedule.expire(schedule.next_hello(), 50, random)) CHECK(schedule.next_hello() <= said + 11s);
    CHECK(schedule.last_hello() > said);
    CHECK(schedule.entities_then() == 50);
}

TEST_CASE("after each hello the next one is scheduled, for ever (RFC 3259 s8) [item 92]") {
    random_source random{8};
    auto schedule = running(random, 1);
    auto said = schedule.last_hello();
    for (int hello = 0; hello < 1000; ++hello) {
        while (!schedule.expire(schedule.deadline(), 1, random)) continue;
        CHECK(schedule.last_hello() - said >= 900ms);
        CHECK(schedule.last_hello() - said <= 1100ms);
        said = schedule.last_hello();
    }
}

TEST_CASE("a peer counts as gone after 5 * hello_d * 1.1 (RFC 3259 s8.2) [item 103]") {
    CHECK(peer_timeout(1) == 5500ms);
    CHECK(peer_timeout(5) == 5500ms);
    CHECK(peer_timeout(10) == 11s);
}

TEST_CASE("a ping is answered after a random delay of up to 1000 ms (RFC 3259 s9.3) [item 110]") {
    random_source random{9};
    std::vector<duration> delays;
    for (int sample = 0; sample < 100; ++sample) {
        auto schedule = running(random, 50);
        const auto now = schedule.last_hello() + 2s;
        schedule.ping(now, random);
        delays.push_back(schedule.deadline() - now);
        CHECK(schedule.expire(schedule.deadline(), 50, random));
    }
    const auto [shortest, longest] = std::ranges::minmax(delays);
    CHECK(shortest >= 0ms);
    CHECK(longest <= 1000ms);
    CHECK(shortest < 100ms);
    CHECK(longest > 900ms);
}

TEST_CASE("one hello answers all pings that came while it waited (RFC 3259 s9.3) [item 112]") {
    random_source random{10};
    auto schedule = running(random, 50);
    const auto now = schedule.last_hello() + 2s;
    for (int ping = 0; ping < 10; ++ping) schedule.ping(now, random);
    const auto answer = schedule.deadline();
    CHECK(schedule.expire(answer, 50, random));
    CHECK(schedule.deadline() >= answer + 9s);
}

TEST_CASE("the regular timer starts anew after the answer to a ping (RFC 3259 s9.3, trap W9) [item 113]") {
    random_source random{11};
    auto schedule = running(random, 1);
    schedule.ping(schedule.next_hello() - 1ms, random);
    while (!schedule.expire(schedule.deadline(), 1, random)) continue;
    while (schedule.deadline() < schedule.next_hello())
        CHECK(schedule.expire(schedule.deadline(), 1, random));
    CHECK(schedule.next_hello() >= schedule.last_hello() + 900ms);
}
