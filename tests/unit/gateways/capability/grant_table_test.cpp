#include <doctest/doctest.h>

#include <string>

#include "gateways/capability/grant_table.hpp"

using namespace std::chrono_literals;
using mbusd::grant_hash;
using mbusd::grant_table;

namespace {

const std::string token(43, 'a');

mbusd::capability with_hash_of(const std::string& text) {
    mbusd::capability out;
    out.hash = grant_hash(text);
    out.entity = "(app:x id:1-1@127.0.0.1)";
    return out;
}

}  // namespace

TEST_CASE("a grant is found by its token, of which only a hash is kept") {
    grant_table grants;
    const auto& made = grants.add(with_hash_of(token));
    CHECK(made.hash.size() == 32);
    CHECK(made.hash.find('a') != 0);
    CHECK(grants.find(token, 0) == &made);
}

TEST_CASE("an unknown token, a longer and a shorter one find nothing") {
    grant_table grants;
    grants.add(with_hash_of(token));
    CHECK(grants.find(std::string(43, 'b'), 0) == nullptr);
    CHECK(grants.find(token + "/", 0) == nullptr);
    CHECK(grants.find("", 0) == nullptr);
    CHECK(grants.find(std::string(100'000, 'a'), 0) == nullptr);
}

TEST_CASE("an empty table has no token, also not one whose hash is all zero") {
    grant_table grants;
    CHECK(grants.find(token, 0) == nullptr);
}

TEST_CASE("a grant is gone at its expiry and after its last use") {
    grant_table grants;
    auto& made = grants.add(with_hash_of(token));
    made.expires_ms = 1000;
    CHECK(grants.find(token, 999) == &made);
    CHECK(grants.find(token, 1000) == nullptr);
    made.expires_ms = 0;
    made.uses_left = 0;
    CHECK(grants.find(token, 0) == nullptr);
}

TEST_CASE("an id shows nothing of the token and is the same for the same grant") {
    CHECK(mbusd::grant_id(grant_hash(token)).size() == 12);
    CHECK(mbusd::grant_id(grant_hash(token)) == mbusd::grant_id(grant_hash(token)));
    CHECK(mbusd::grant_id(grant_hash(token)) != mbusd::grant_id(grant_hash(token + "b")));
}

TEST_CASE("as many requests as the rate may come at once, then each has to wait for its turn") {
    mbusd::request_rate rate;
    const mbus::mbws::time_point start{};
    for (int i = 0; i < 5; ++i) CHECK_FALSE(rate.take(start, 5));
    const auto wait = rate.take(start, 5);
    REQUIRE(wait);
    CHECK(*wait == 1s);
    CHECK(rate.take(start + 100ms, 5));
    CHECK_FALSE(rate.take(start + 300ms, 5));
    CHECK(rate.take(start + 300ms, 5));
}
