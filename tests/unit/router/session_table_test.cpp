// Tokens and random numbers of sessions.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "router/session_table.hpp"

TEST_CASE("random tokens are URL-safe, long enough and different") {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto token = mbusd::random_token(32);
        CHECK(token.size() == 43);
        CHECK(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos);
        seen.insert(token);
    }
    CHECK(seen.size() == 1000);
}

TEST_CASE("a broker id has 16 lower-case hexadecimal digits") {
    const auto id = mbusd::random_broker_id();
    CHECK(id.size() == 16);
    CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
}

TEST_CASE("what is no token finds no session") {
    mbusd::session_table table;
    CHECK(table.find_token("") == nullptr);
    CHECK(table.find_token("0000000000000001") == nullptr);
    CHECK(table.find_token("000000000000000xABCDEFGHIJKLMNOPQRSTUVWXYZ") == nullptr);
    CHECK(table.find_token("0000000000000001ABCDEFGHIJKLMNOPQRSTUVWXYZ") == nullptr);
}
