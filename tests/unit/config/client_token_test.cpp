// Tokens of clients, their hashes and the names they go by.
#include "config/client_token.hpp"

#include <doctest/doctest.h>

#include <set>

namespace mbusd {

TEST_CASE("a token has 43 URL-safe characters, and no two are the same") {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto token = make_token();
        CHECK(is_token(token));
        CHECK(seen.insert(token).second);
    }
}

TEST_CASE("the hash is BLAKE2b-256 without a key") {
    // RFC 7693 with an output of 32 octets, of the three octets "abc".
    CHECK(hex_of_hash(hash_token("abc")) == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST_CASE("a hash goes through its digits and back") {
    const auto hash = hash_token("x");
    CHECK(hash_from_hex(hex_of_hash(hash)) == hash);
    CHECK_FALSE(hash_from_hex("").has_value());
    CHECK_FALSE(hash_from_hex(std::string(63, 'a')).has_value());
    CHECK_FALSE(hash_from_hex(std::string(64, 'g')).has_value());
    CHECK_FALSE(hash_from_hex(std::string(66, 'a')).has_value());
}

TEST_CASE("what is no token is seen without a look-up") {
    CHECK_FALSE(is_token(""));
    CHECK_FALSE(is_token(std::string(42, 'a')));
    CHECK_FALSE(is_token(std::string(42, 'a') + "+"));
}

TEST_CASE("names of clients are checked") {
    CHECK_FALSE(refuses_client_name("Page-1_x.y").has_value());
    CHECK_FALSE(refuses_client_name(std::string(64, 'a')).has_value());
    for (const auto& name : {std::string{}, std::string(65, 'a'), std::string{"a b"}, std::string{"a*"}, std::string{"\xc3\xa4"}}) {
        CHECK(refuses_client_name(name).has_value());
    }
}

}  // namespace mbusd
