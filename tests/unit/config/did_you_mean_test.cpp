// Hints for misspelt words.
#include <doctest/doctest.h>

#include <array>
#include <string_view>

#include "config/did_you_mean.hpp"

TEST_CASE("the hint names the nearest candidate, and there is none without one") {
    const std::array<std::string_view, 3> words{"families", "coalesce", "unicast"};
    CHECK(mbusd::did_you_mean("famlies", words) == "; did you mean 'families'?");
    CHECK(mbusd::did_you_mean("zzzzzzz", words).empty());
}
