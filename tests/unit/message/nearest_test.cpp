// Suggestions for misspelt words.
#include <doctest/doctest.h>

#include <array>
#include <string_view>

#include "config/nearest.hpp"

TEST_CASE("the nearest candidate is suggested, within a third of the word") {
    const std::array<std::string_view, 3> words{"families", "coalesce", "unicast"};
    CHECK(mbusd::nearest("famlies", words) == "families");
    CHECK(mbusd::nearest("coalecse", words) == "coalesce");
    CHECK(mbusd::nearest("unicats", words) == "unicast");
    CHECK(mbusd::nearest("zzzzzzz", words).empty());
    CHECK(mbusd::nearest("", words).empty());
    CHECK(mbusd::did_you_mean("famlies", words) == "; did you mean 'families'?");
    CHECK(mbusd::did_you_mean("zzzzzzz", words).empty());
}
