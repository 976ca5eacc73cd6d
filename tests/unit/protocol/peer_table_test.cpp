#include <string>

#include <doctest/doctest.h>

#include "protocol/limits.hpp"
#include "protocol/peer_table.hpp"

using namespace mbus;
using namespace mbus::protocol;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{};

address numbered(std::size_t number, std::string_view rest = "") {
    return *address::parse("(id:" + std::to_string(number) + "-1@10.0.0.1 " + std::string{rest} + ")");
}

peer& member(peer_table& peers, std::size_t number, std::string_view rest = "", time_point now = start) {
    auto& who = peers.meet(now, numbered(number, rest));
    CHECK(peers.join(now, who));
    return who;
}

}  // namespace

TEST_CASE(
    "a target is unique when exactly one known address has all its elements (RFC 3259 s6.2) [item 71]") {
    peer_table peers;
    const auto& audio = member(peers, 1, "app:rat media:audio");
    member(peers, 2, "app:vic media:video");
    peers.meet(start, numbered(3, "media:audio"));  // only heard: not known

    const auto one = peers.matching(*address::parse("(media:audio)"));
    CHECK(one.count == 1);
    CHECK(one.only == &audio);
    CHECK(peers.matching(*address::parse("(app:rat media:video)")).count == 0);
    CHECK(peers.matching(address{}).count == 2);
    CHECK(peers.matching(address{}).only == nullptr);
    CHECK(peers.matching(audio.address).only == &audio);
    CHECK(peers.matching(*address::parse("(id:1-1@10.0.0.1)")).only == &audio);
    CHECK(peers.matching(*address::parse("(id:1-1@10.0.0.1 app:vic)")).count == 0);
    CHECK(peers.matching(*address::parse("(id:3-1@10.0.0.1)")).count == 0);
}

TEST_CASE("the peer that was silent longest is the next to go") {
    peer_table peers;
    auto& first = member(peers, 1);
    auto& second = member(peers, 2, "", start + 1s);
    CHECK(peers.silent_at(5500ms) == start + 5500ms);
    peers.hear(start + 2s, first, {});
    CHECK(peers.silent_at(5500ms) == start + 6500ms);
    CHECK(peers.silent(start + 6499ms, 5500ms) == nullptr);
    CHECK(peers.silent(start + 6500ms, 5500ms) == &second);
    peers.lose(start + 6500ms, second);
    CHECK(peers.known() == 1);
    CHECK(peers.matching(second.address).count == 0);
}

TEST_CASE("a hello that was overtaken by its sender's bye is late, for a few seconds (trap W7)") {
    peer_table peers;
    auto& who = member(peers, 1);
    peers.leave(start, who, 10);
    CHECK(peer_table::is_late_hello(start + 1s, who, 9));
    CHECK_FALSE(peer_table::is_late_hello(start + 1s, who, 11));
    CHECK_FALSE(peer_table::is_late_hello(start + 4s, who, 0));
}

TEST_CASE("strangers and departed ones are bounded, the oldest goes first; members stay") {
    peer_table peers;
    member(peers, 999999);
    for (std::size_t number = 0; number < acquaintances_max + 100; ++number)
        peers.meet(start, numbered(number));
    CHECK(peers.acquaintances() <= acquaintances_max);
    CHECK(peers.find(numbered(0).text()) == nullptr);
    CHECK(peers.find(numbered(acquaintances_max + 99).text()) != nullptr);
    CHECK(peers.known() == 1);
}

TEST_CASE("strangers are forgotten after a while") {
    peer_table peers;
    peers.meet(start, numbered(1));
    peers.meet(start + acquaintance_kept, numbered(2));
    CHECK(peers.find(numbered(1).text()) == nullptr);
}

TEST_CASE("the table takes peers_max members and refuses the next") {
    peer_table peers;
    for (std::size_t number = 0; number < peers_max; ++number)
        REQUIRE(peers.join(start, peers.meet(start, numbered(number))));
    CHECK_FALSE(peers.join(start, peers.meet(start, numbered(peers_max))));
    CHECK(peers.known() == peers_max);
}

TEST_CASE("a peer that sends from the bus port cannot be reached by unicast (RFC 3259 s6.2, trap T4)") {
    endpoint from;
    from.port = 50001;
    CHECK(unicast_capable(from, 47001));
    from.port = 47000;
    CHECK_FALSE(unicast_capable(from, 47001));
    from.port = 47001;
    CHECK_FALSE(unicast_capable(from, 47001));
    from.port = 0;
    CHECK_FALSE(unicast_capable(from, 47001));
}
