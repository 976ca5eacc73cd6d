#include <doctest/doctest.h>

#include "protocol/pending_sends.hpp"

using namespace mbus;
using namespace mbus::protocol;
using namespace std::chrono_literals;

TEST_CASE("a pending send is found by entity and number, and taken once") {
    timer_queue timers;
    pending_sends pending;
    const entity_handle one{1};
    auto& sent = pending.add(timers, time_point{}, one, 7);
    sent.message = "hello";
    pending.grew(5);
    CHECK(timers.next() == time_point{} + 100ms);
    CHECK(pending.find(one, 7) == &sent);
    CHECK(pending.find(one, 8) == nullptr);
    CHECK(pending.find(entity_handle{2}, 7) == nullptr);
    CHECK(pending.octets() == 5);
    const auto taken = pending.take(sent);
    CHECK(pending.find(one, 7) == nullptr);
    CHECK(pending.octets() == 0);
    CHECK(timers.size() == 0);
}

TEST_CASE("a selection is sorted by age") {
    timer_queue timers;
    pending_sends pending;
    for (std::uint32_t number = 0; number < 20; ++number)
        pending.add(timers, time_point{} + (20 - number) * 1ms, entity_handle{1}, number);
    const auto all = pending.select([](const pending_send&) { return true; });
    REQUIRE(all.size() == 20);
    for (std::size_t index = 0; index < all.size(); ++index) CHECK(all[index]->number == 19 - index);
}
