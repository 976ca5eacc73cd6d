#include <doctest/doctest.h>

#include <algorithm>
#include <string>

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

TEST_CASE("small and large datagrams leave in order, however few are sent at a time") {
    auto keys = *envelope::create(lab::lab_session());
    counters count;
    outbox box{true};
    std::size_t put_in = 0;
    std::size_t sent = 0;
    std::size_t octets = 0;
    const auto message = [](std::size_t number) {
        return "mbus/1.0 " + std::to_string(number) + std::string(number % 3 == 0 ? 60'000 : 10, 'x') + "\r\n";
    };
    for (std::size_t round = 0; round < 40; ++round) {
        for (std::size_t i = 0; i < 1 + round % 5; ++i) {
            put(box, message(put_in));
            octets += message(put_in++).size();
        }
        const auto all = box.seal(keys, 0);
        REQUIRE(all.size() == put_in - sent);
        for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i].datagram.ends_with("\r\n" + message(sent + i)));
        CHECK(box.octets() == octets);
        const std::size_t some = std::min<std::size_t>(all.size(), 1 + round % 4);
        box.pop(some, count);
        for (std::size_t i = 0; i < some; ++i) octets -= message(sent++).size();
    }
    CHECK(count.datagrams_out == sent);
}
