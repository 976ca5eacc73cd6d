#include <doctest/doctest.h>

#include "http/credential_limiter.hpp"

using namespace mbusd;
using namespace std::chrono_literals;

namespace {

client_address address(std::string_view text) { return client_address::parse(text).value(); }

}  // namespace

TEST_CASE("some failures are borne, then the address waits, then it may try again") {
    credential_limiter limiter;
    const credential_limiter::time_point start{1h};
    const auto who = address("192.0.2.1");
    for (unsigned i = 1; i < credential_limiter::failures_max; ++i) limiter.failed(start, who);
    CHECK_FALSE(limiter.blocked_for(start, who));
    limiter.failed(start, who);
    CHECK(limiter.blocked_for(start, who) == credential_limiter::pause);
    CHECK(limiter.blocked_for(start + credential_limiter::pause - 100ms, who) == 1s);
    CHECK_FALSE(limiter.blocked_for(start + credential_limiter::pause, who));
}

TEST_CASE("who goes on guessing waits longer each time, and is forgiven after a while") {
    credential_limiter limiter;
    const auto who = address("192.0.2.1");
    auto now = credential_limiter::time_point{1h};
    const auto guess_until_blocked = [&] {
        while (!limiter.blocked_for(now, who)) limiter.failed(now, who);
        const auto wait = *limiter.blocked_for(now, who);
        now += wait;
        return wait;
    };
    CHECK(guess_until_blocked() == 30s);
    CHECK(guess_until_blocked() == 60s);
    CHECK(guess_until_blocked() == 120s);
    for (int i = 0; i < 5; ++i) guess_until_blocked();
    CHECK(guess_until_blocked() == 480s);
    now += credential_limiter::forgiven_after + 1s;
    CHECK(guess_until_blocked() == 30s);
}

TEST_CASE("the next password waits after each wrong one, twice as long each time") {
    credential_limiter limiter;
    const auto who = address("192.0.2.1");
    auto now = credential_limiter::time_point{1h};
    CHECK(limiter.password_delay(now, who) == 0ms);
    for (const auto delay : {125ms, 250ms, 500ms, 1000ms, 2000ms, 2000ms}) {
        limiter.failed(now, who);
        CHECK(limiter.password_delay(now, who) == delay);
        CHECK(limiter.password_delay(now + 100ms, who) == delay - 100ms);
        now += delay;
        CHECK(limiter.password_delay(now, who) == 0ms);
    }
    CHECK(limiter.password_delay(now, address("192.0.2.2")) == 0ms);
    limiter.failed(now + 61s, who);
    CHECK(limiter.password_delay(now + 61s, who) == 125ms);
}

TEST_CASE("failures that are far apart never add up") {
    credential_limiter limiter;
    auto now = credential_limiter::time_point{1h};
    for (unsigned i = 0; i < 10 * credential_limiter::failures_max; ++i) {
        limiter.failed(now, address("192.0.2.1"));
        now += 10s;
    }
    CHECK_FALSE(limiter.blocked_for(now, address("192.0.2.1")));
}

TEST_CASE("one address does not hold up another, but one IPv6 network is one guesser") {
    credential_limiter limiter;
    const credential_limiter::time_point now{1h};
    for (unsigned i = 0; i < credential_limiter::failures_max; ++i) {
        limiter.failed(now, address(i % 2 == 0 ? "2001:db8::1" : "2001:db8::2"));
    }
    CHECK(limiter.blocked_for(now, address("2001:db8::3")));
    CHECK_FALSE(limiter.blocked_for(now, address("2001:db8:0:1::1")));
}

TEST_CASE("the table is bounded: the oldest address makes room") {
    credential_limiter limiter;
    const credential_limiter::time_point now{1h};
    const auto first = address("10.255.255.255");
    for (unsigned i = 0; i < credential_limiter::failures_max; ++i) limiter.failed(now - 1s, first);
    for (std::size_t i = 0; i < credential_limiter::addresses_max; ++i) {
        limiter.failed(now, address("10.0." + std::to_string(i / 256) + '.' + std::to_string(i % 256)));
    }
    CHECK_FALSE(limiter.blocked_for(now, first));
    CHECK(limiter.failures() == credential_limiter::failures_max + credential_limiter::addresses_max);
}
