#include <doctest/doctest.h>

#include "protocol/limits.hpp"
#include "protocol/route_table.hpp"

using namespace mbus;
using namespace mbus::protocol;

TEST_CASE("a route follows the entities and peers that come and go") {
    timer_queue timers;
    random_source random{1};
    entity_table entities{0};
    peer_table peers;
    route_table routes{entities, peers};
    const auto kind = *address::parse("(kind:x)");
    CHECK(routes.find("(kind:x)")->locals.empty());

    const auto full = *entities.complete(kind, 1, "10.0.0.1");
    auto& ours = entities.add(timers, full, sequence{}, hello_schedule{time_point{}, random});
    const auto before = routes.generation();
    routes.entities_changed();
    CHECK(routes.generation() != before);
    CHECK(routes.find("( kind:x )")->locals == std::vector{&ours});
    CHECK(routes.find("(kind:x)")->exact == nullptr);
    CHECK(routes.find(full.text())->exact == &ours);

    auto& theirs = peers.meet(time_point{}, *address::parse("(kind:x id:1-1@10.0.0.2)"));
    CHECK(routes.with_peers(kind).peers.count == 0);
    peers.join(time_point{}, theirs);
    routes.peers_changed();
    CHECK(routes.with_peers(kind).peers.only == &theirs);

    entities.remove(ours);
    routes.entities_changed();
    CHECK(routes.find("(kind:x)")->locals.empty());
}

TEST_CASE("a destination outside the grammar has no route, a flood of destinations costs no memory") {
    entity_table entities{0};
    peer_table peers;
    route_table routes{entities, peers};
    CHECK(routes.find("(kind)") == nullptr);
    for (std::size_t number = 0; number < 3 * routes_max; ++number)
        CHECK(routes.find("(x:" + std::to_string(number) + ")") != nullptr);
    CHECK(routes.find("(x:0)")->destination.text() == "(x:0)");
}
