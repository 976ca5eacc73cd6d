// SCRAM (RFC 5802, section 5; RFC 7677, section 3).
#include <doctest/doctest.h>

#include <string>

#include "sasl/base64_text.hpp"
#include "sasl/scram.hpp"

using namespace mbusd;
using verdict = scram_exchange::verdict;

namespace {

// The server's half of the example: its nonce, salt and iterations.
scram_exchange example(scram_hash hash, std::string nonce, std::string_view salt) {
    const auto keys = make_scram_keys(hash, "pencil", *from_base64(salt), 4096);
    return {hash, std::move(nonce), [keys](std::string_view user) {
                CHECK(user == "user");
                return keys;
            }};
}

}  // namespace

TEST_CASE("the exchange of RFC 5802, section 5") {
    auto server = example(scram_hash::sha1, "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92");
    auto got = server.step("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    CHECK(got.what == verdict::challenge);
    CHECK(got.data == "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096");
    got = server.step("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
    CHECK(got.what == verdict::success);
    CHECK(got.data == "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
    CHECK(server.user() == "user");
}

TEST_CASE("the exchange of RFC 7677, section 3") {
    auto server = example(scram_hash::sha256, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ==");
    auto got = server.step("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    CHECK(got.data == "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    got = server.step("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    CHECK(got.what == verdict::success);
    CHECK(got.data == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST_CASE("a wrong proof, nonce or header is refused") {
    const auto last = [](std::string_view message) {
        auto server = example(scram_hash::sha1, "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92");
        server.step("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
        return server.step(message).what;
    };
    CHECK(last("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Tt=") == verdict::malformed);
    CHECK(last("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=w0X8v3Bz2T0CJGbJQyF0X+HI4Ts=") == verdict::not_authorized);
    CHECK(last("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=AAAA") == verdict::not_authorized);
    CHECK(last("c=biws,r=other,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=") == verdict::not_authorized);
    CHECK(last("c=eSws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=") == verdict::malformed);
    CHECK(last("") == verdict::malformed);
}

TEST_CASE("first messages outside the grammar are malformed, channel binding is not offered") {
    for (const auto* text : {"", "n", "n,", "n,,", "n,,n=user", "n,,r=x", "n,,n=,r=x", "n,,n=user,r=", "p=tls-unique,,n=user,r=x",
                             "n,x,n=user,r=x", "n,,n=us=er,r=x", "n,,m=x,n=user,r=x"}) {
        CAPTURE(text);
        scram_exchange server{scram_hash::sha256, "abc", [](std::string_view) { return scram_keys{}; }};
        CHECK(server.step(text).what == verdict::malformed);
    }
}

TEST_CASE("escapes in names are read") {
    std::string asked;
    scram_exchange server{scram_hash::sha256, "abc", [&](std::string_view user) {
                              asked = user;
                              return made_up_keys(scram_hash::sha256, user, "secret");
                          }};
    CHECK(server.step("y,,n=a=2Cb=3Dc,r=x").what == verdict::challenge);
    CHECK(asked == "a,b=c");
}

TEST_CASE("keys tell right passwords from wrong ones, and made-up ones fit none but stay the same") {
    const auto keys = make_scram_keys(scram_hash::sha256, "pencil", "0123456789abcdef", scram_iterations_min);
    CHECK(password_fits(keys, "pencil"));
    CHECK_FALSE(password_fits(keys, "Pencil"));
    CHECK_FALSE(password_fits(keys, ""));
    const auto made_up = made_up_keys(scram_hash::sha1, "nobody", "secret");
    CHECK(made_up.salt == made_up_keys(scram_hash::sha256, "nobody", "secret").salt);
    CHECK(made_up.salt != made_up_keys(scram_hash::sha1, "somebody", "secret").salt);
    CHECK_FALSE(password_fits(made_up, ""));
}
