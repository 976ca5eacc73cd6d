#include <doctest/doctest.h>

#include "protocol/outbox.hpp"
#include "support/bus_lab.hpp"

using namespace mbus;
using namespace mbus::protocol;

namespace {

void put(outbox& box, std::string_view message) {
    box.push().message = message;
    box.grew(message.size());
}

}  // namespace

TEST_CASE("datagrams leave in order, and stay until they were sent") {
    auto keys = *envelope::create(lab::lab_session());
    counters count;
    outbox box{true};
    put(box, "mbus/1.0 first\r\n");
    put(box, "mbus/1.0 second\r\n");
    CHECK(box.octets() == 33);
    REQUIRE(box.seal(keys, 0).size() == 2);
    box.pop(1, count);
    put(box, "mbus/1.0 third\r\n");
    const auto rest = box.seal(keys, 0);
    REQUIRE(rest.size() == 2);
    CHECK(rest[0].datagram.ends_with("second\r\n"));
    CHECK(rest[1].datagram.ends_with("third\r\n"));
    box.pop(100, count);
    CHECK(box.size() == 0);
    CHECK(box.octets() == 0);
    CHECK(count.datagrams_out == 3);
}

TEST_CASE("the last line end can be left out (trap S1)") {
    auto keys = *envelope::create(lab::lab_session());
    outbox box{false};
    put(box, "mbus/1.0 a\r\nb()\r\n");
    CHECK(box.seal(keys, 0)[0].datagram.ends_with("a\r\nb()"));
}
