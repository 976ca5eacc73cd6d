#include <doctest/doctest.h>

#include "protocol/sequence.hpp"

using namespace mbus::protocol;

TEST_CASE("a sequence begins at 0 and counts up by one (RFC 3259 s3) [item 3] [item 4]") {
    sequence numbers;
    CHECK(numbers.take() == 0);
    CHECK(numbers.take() == 1);
    CHECK(numbers.peek() == 2);
}

TEST_CASE("after 4294967295 comes 0 (RFC 3259 s3) [item 5]") {
    sequence numbers{4294967295U};
    CHECK(numbers.take() == 4294967295U);
    CHECK(numbers.take() == 0);
}

TEST_CASE("the legacy dialect wraps at 999999") {
    sequence numbers{legacy_sequence_max, sequence::wrap::legacy};
    CHECK(numbers.take() == 999999);
    CHECK(numbers.take() == 0);
}

TEST_CASE("distance is taken on the circle of 2^32") {
    CHECK(distance(4294967295U, 0) == 1);
    CHECK(distance(0, 4294967295U) == -1);
    CHECK(distance(5, 5) == 0);
}
