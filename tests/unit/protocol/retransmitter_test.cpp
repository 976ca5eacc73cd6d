#include <doctest/doctest.h>

#include "protocol/retransmitter.hpp"

using namespace mbus::protocol;
using namespace std::chrono_literals;
using verdict = retransmitter::verdict;

TEST_CASE(
    "a reliable message is repeated three times, then reported lost (RFC 3259 s7) [item 75] [item 77] [item 79]") {
    const time_point start{};
    retransmitter pending{start};
    CHECK(pending.deadline() == start + 100ms);
    CHECK(pending.advance(start + 99ms) == verdict::wait);
    CHECK(pending.advance(start + 100ms) == verdict::retransmit);
    CHECK(pending.advance(start + 300ms) == verdict::retransmit);
    CHECK(pending.advance(start + 600ms) == verdict::retransmit);
    CHECK(pending.transmissions() == 4);
    CHECK(pending.advance(start + 999ms) == verdict::wait);
    CHECK(pending.advance(start + 1000ms) == verdict::give_up);
}

TEST_CASE("a timer that runs late never shortens the next gap") {
    const time_point start{};
    retransmitter pending{start};
    CHECK(pending.advance(start + 180ms) == verdict::retransmit);
    CHECK(pending.deadline() == start + 380ms);
}
