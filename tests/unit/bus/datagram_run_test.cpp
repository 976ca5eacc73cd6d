#include "bus/datagram_run.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "bus/bus_options.hpp"

using namespace mbusd;
using mbus::protocol::endpoint;
using mbus::protocol::ip_family;
using mbus::protocol::outgoing;

namespace {

// Group datagrams of these lengths.
struct waiting {
    explicit waiting(const std::vector<std::size_t>& lengths) {
        for (const auto length : lengths) texts.emplace_back(length, 'x');
        for (const auto& text : texts) datagrams.push_back({text, true, false, {}});
    }
    std::vector<std::string> texts;
    std::vector<outgoing> datagrams;
};

constexpr run_limits of_ethernet{1472, udp_octets_max};

std::size_t run_of(const std::vector<std::size_t>& lengths, const run_limits& limits = of_ethernet) {
    return run_length(waiting{lengths}.datagrams, limits);
}

std::vector<std::string> cut(std::string_view buffer, std::size_t segment_octets) {
    std::vector<std::string> out;
    bool ended = false;
    for_each_segment(buffer, segment_octets, [&](std::string_view datagram, bool last) {
        CHECK_FALSE(ended);
        ended = last;
        out.emplace_back(datagram);
    });
    CHECK(ended);
    return out;
}

}  // namespace

TEST_CASE("datagrams of one length are a run, and a shorter one ends it") {
    CHECK(run_of({100}) == 1);
    CHECK(run_of({100, 100, 100}) == 3);
    CHECK(run_of({100, 100, 50}) == 3);
    CHECK(run_of({100, 100, 50, 50}) == 3);
    CHECK(run_of({100, 50, 100}) == 2);
    CHECK(run_of({100, 101, 101}) == 1);
}

TEST_CASE("a run has at most 64 datagrams, and no more octets than one packet") {
    CHECK(run_of(std::vector<std::size_t>(100, 20)) == 64);
    // 44 x 1472 = 64768; 45 would be 66240
    CHECK(run_of(std::vector<std::size_t>(64, 1472)) == 44);
    CHECK(run_of({1000, 1000, 1000}, {1472, 2999}) == 2);
    CHECK(run_of({1000, 1000, 999}, {1472, 2999}) == 3);
    CHECK(run_octets_max(ip_family::v4) == 65507);
    CHECK(run_octets_max(ip_family::v6) == 65487);
}

TEST_CASE("what would travel in fragments goes alone, and so does what is empty") {
    CHECK(run_of({1472, 1472}) == 2);
    CHECK(run_of({1473, 1473}) == 1);
    CHECK(run_of({100, 100}, {}) == 1);
    CHECK(run_of({0, 0}) == 1);
    CHECK(run_of({100, 0, 100}) == 1);
}

TEST_CASE("a run goes to one place") {
    waiting some{{100, 100, 100}};
    const endpoint one{ip_family::v4, {10, 0, 0, 1}, 5000, 0};
    auto other = one;
    other.port = 5001;
    const auto direct = [&](std::size_t which, const endpoint& to) {
        some.datagrams[which].group = false;
        some.datagrams[which].to = to;
    };
    direct(2, one);
    CHECK(run_length(some.datagrams, of_ethernet) == 2);
    direct(1, one);
    direct(0, one);
    CHECK(run_length(some.datagrams, of_ethernet) == 3);
    direct(1, other);
    CHECK(run_length(some.datagrams, of_ethernet) == 1);
}

TEST_CASE("what was received as one is cut into what was sent") {
    CHECK(cut("aabbc", 2) == std::vector<std::string>{"aa", "bb", "c"});
    CHECK(cut("aabb", 2) == std::vector<std::string>{"aa", "bb"});
    CHECK(cut("aabb", 9) == std::vector<std::string>{"aabb"});
    CHECK(cut("aabb", 0) == std::vector<std::string>{"aabb"});
    CHECK(cut("", 0) == std::vector<std::string>{""});
    CHECK(cut("", 4) == std::vector<std::string>{""});
}
