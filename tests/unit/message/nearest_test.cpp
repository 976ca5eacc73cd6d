// Suggestions for mistyped words.
#include <doctest/doctest.h>

#include <array>
#include <string_view>

#include "message/nearest.hpp"

using namespace mbus::text;

TEST_CASE("the nearest word has the fewest mistakes") {
    const std::array<std::string_view, 3> known{"peers", "ping", "match"};
    CHECK(nearest("pers", known) == "peers");
    CHECK(nearest("pign", known) == "ping");
    CHECK_FALSE(nearest("completely-else", known));
    CHECK_FALSE(nearest("", known));
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("pign", "ping") == 1);  // neighbours swapped
    CHECK(edit_distance("", "ping") == 4);
}

TEST_CASE("the beginning of a word stands for it") {
    const std::array<std::string_view, 3> known{"peers", "ping", "match"};
    CHECK(nearest("mat", known) == "match");
    CHECK(nearest("p", known) == "peers");
}

TEST_CASE("the nearest candidate is suggested, within a third of the word") {
    const std::array<std::string_view, 3> words{"families", "coalesce", "unicast"};
    CHECK(nearest("famlies", words) == "families");
    CHECK(nearest("coalecse", words) == "coalesce");
    CHECK(nearest("unicats", words) == "unicast");
    CHECK_FALSE(nearest("zzzzzzz", words));
    CHECK_FALSE(nearest("", words));
}
