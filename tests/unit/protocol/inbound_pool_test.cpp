#include <doctest/doctest.h>

#include <set>

#include "protocol/inbound_pool.hpp"

using namespace mbus::protocol;

TEST_CASE("a message that nobody holds any more is used again, one that is held never") {
    inbound_pool pool;
    auto first = pool.take();
    const auto* const place = first.get();
    std::shared_ptr<const inbound> held = first;
    first.reset();
    CHECK(pool.take().get() != place);
    held.reset();
    bool again = false;
    for (int count = 0; count < 64; ++count) again = again || pool.take().get() == place;
    CHECK_FALSE(again);  // the place after it is free, and stays in use
    std::vector<std::shared_ptr<inbound>> many;
    for (int count = 0; count < 64; ++count) many.push_back(pool.take());
    for (std::size_t index = 1; index < many.size(); ++index) CHECK(many[index] != many[index - 1]);
}

TEST_CASE("who holds one message until it gets the next needs two of them") {
    inbound_pool pool;
    std::set<const inbound*> places;
    std::shared_ptr<const inbound> held;
    for (int count = 0; count < 100; ++count) {
        const auto next = pool.take();
        CHECK(next != held);
        next->payload.assign(60'000, 'x');
        places.insert(next.get());
        held = next;
    }
    CHECK(places.size() == 2);
}

TEST_CASE("the buffer of a large message is not kept") {
    inbound_pool pool;
    pool.take()->payload.assign(100'000, 'x');
    CHECK(pool.take()->payload.capacity() < 100'000);
}
