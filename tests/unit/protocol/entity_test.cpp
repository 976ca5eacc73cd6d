#include <doctest/doctest.h>

#include "protocol/entity.hpp"

using namespace mbus;
using namespace mbus::protocol;
using namespace std::chrono_literals;

namespace {

struct table_fixture {
    local_entity& add(std::string_view text) {
        const auto full = entities.complete(*address::parse(text), 4711, "10.0.0.1");
        REQUIRE(full);
        return entities.add(timers, *full, sequence{}, hello_schedule{time_point{}, random});
    }
    timer_queue timers;
    random_source random{5};
    entity_table entities{99997};
};

}  // namespace

TEST_CASE_FIXTURE(
    table_fixture,
    "entity numbers run from 1 to 99999 and round, and skip those in use (RFC 3259 s4.1) [item 31]") {
    CHECK(add("(a:1)").address.text() == "(a:1 id:4711-99998@10.0.0.1)");
    CHECK(add("(a:1)").address.text() == "(a:1 id:4711-99999@10.0.0.1)");
    add("(id:4711-1@10.0.0.1)");
    CHECK(add("(a:1)").address.text() == "(a:1 id:4711-2@10.0.0.1)");
}

TEST_CASE_FIXTURE(table_fixture, "entities are found by handle, by address, and by what they answer to") {
    auto& first = add("(app:one kind:x)");
    auto& second = add("(app:two kind:x)");
    CHECK(entities.find(first.handle) == &first);
    CHECK(entities.find(second.address.text()) == &second);
    std::vector<local_entity*> found;
    entities.matching(*address::parse("(kind:x)"), found);
    CHECK(found == std::vector{&first, &second});
    entities.matching(second.address, found);
    CHECK(found == std::vector{&second});
    CHECK(entities.has_match(second.address));

    const auto gone = second.address;
    entities.remove(second);
    CHECK(entities.find(gone.text()) == nullptr);
    CHECK_FALSE(entities.has_match(gone));
    CHECK(timers.size() == 1);  // its hello timer went with it
}

TEST_CASE_FIXTURE(table_fixture, "acknowledgement partners that are idle are forgotten") {
    auto& it = add("(app:one)");
    time_point now{};
    for (int number = 0; number < 1000; ++number) {
        now += 1s;  // the copy list of the one before has expired
        const auto peer = *address::parse("(id:" + std::to_string(number) + "-1@10.0.0.2)");
        auto& partner = it.partner_for(timers, now, peer);
        partner.acks.received(now, 1);
        std::vector<std::uint32_t> numbers;
        partner.acks.take(now, numbers, 64);
    }
    CHECK(it.partner("(id:0-1@10.0.0.2)") == nullptr);
    CHECK(it.partner("(id:999-1@10.0.0.2)") != nullptr);
}
