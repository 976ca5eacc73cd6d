#include <set>
#include <string>

#include <doctest/doctest.h>

#include "protocol/counters.hpp"

using namespace mbus::protocol;

TEST_CASE("every reason to drop something has a name of its own") {
    std::set<std::string> names;
    for (std::size_t index = 0; index < drop_reasons; ++index)
        names.emplace(to_string(static_cast<drop_reason>(index)));
    CHECK(names.size() == drop_reasons);
    CHECK_FALSE(names.contains("unknown"));
    CHECK(to_string(drop_reason::bad_mac) == "bad-mac");
}

TEST_CASE("a drop counts under its reason alone") {
    counters count;
    count.drop(drop_reason::duplicate);
    CHECK(count.drops(drop_reason::duplicate) == 1);
    CHECK(count.drops(drop_reason::replayed) == 0);
}
