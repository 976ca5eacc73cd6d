#include <doctest/doctest.h>

#include "protocol/acknowledger.hpp"
#include "protocol/limits.hpp"

using namespace mbus::protocol;
using namespace std::chrono_literals;

namespace {

using numbers = std::vector<std::uint32_t>;

numbers taken(acknowledger& acks, time_point now, std::size_t limit = 64) {
    numbers out;
    acks.take(now, out, limit);
    return out;
}

}  // namespace

TEST_CASE(
    "the first number starts TA = 70 ms, later ones do not move it (RFC 3259 s7) [item 84] [item 85] [item 88]") {
    const time_point start{};
    acknowledger acks;
    CHECK(acks.deadline() == never);
    acks.received(start, 7);
    acks.received(start + 30ms, 8);
    CHECK(acks.deadline() == start + 70ms);
    CHECK(taken(acks, start + 70ms) == numbers{7, 8});
    CHECK(acks.deadline() == never);
    CHECK(acks.empty());
}

TEST_CASE("a number of a list that was sent calls for the whole list again (RFC 3259 s7) [item 87]") {
    const time_point start{};
    acknowledger acks;
    acks.received(start, 1);
    acks.received(start, 2);
    CHECK(taken(acks, start + 70ms) == numbers{1, 2});
    acks.received(start + 100ms, 1);
    CHECK(acks.deadline() == start + 170ms);
    CHECK(taken(acks, start + 170ms) == numbers{1, 2});
    acks.received(start + 700ms, 2);  // the copy was renewed
    CHECK(taken(acks, start + 770ms) == numbers{1, 2});
}

TEST_CASE("after T_k = 600 ms and some slack a list is forgotten, the number alone is acknowledged again") {
    const time_point start{};
    acknowledger acks;
    acks.received(start, 1);
    acks.received(start, 2);
    (void)taken(acks, start);
    SUBCASE("at 699 ms it is still kept (trap R7)") {
        acks.received(start + 699ms, 1);
        CHECK(taken(acks, start + 699ms) == numbers{1, 2});
    }
    SUBCASE("at 700 ms it is gone") {
        CHECK(acks.idle(start + 700ms));
        acks.received(start + 700ms, 1);
        CHECK(taken(acks, start + 700ms) == numbers{1});
    }
}

TEST_CASE("a number is owed once, however often its message came") {
    acknowledger acks;
    acks.received(time_point{}, 5);
    acks.received(time_point{} + 1ms, 5);
    CHECK(taken(acks, time_point{}) == numbers{5});
}

TEST_CASE("more numbers than one message holds go out at once, in several lists") {
    acknowledger acks;
    for (std::uint32_t number = 0; number < acknowledgements_per_message + 1; ++number)
        acks.received(time_point{}, number);
    CHECK(acks.deadline() == time_point{});
    CHECK(taken(acks, time_point{}, acknowledgements_per_message).size() == acknowledgements_per_message);
    CHECK(acks.deadline() == time_point{});
    CHECK(taken(acks, time_point{}, acknowledgements_per_message) == numbers{acknowledgements_per_message});
}

TEST_CASE("the copies of a flood are bounded") {
    acknowledger acks;
    for (std::uint32_t number = 0; number < 10 * acknowledgement_copies_max; ++number) {
        acks.received(time_point{}, number);
        (void)taken(acks, time_point{});
    }
    acks.received(time_point{}, 0);  // of a list that was dropped: alone again
    CHECK(taken(acks, time_point{}) == numbers{0});
}
