// The modern profile (docs/modern-profile.md): its bytes, its replay protection, and how the two
// profiles keep apart.
#include <doctest/doctest.h>

#include <array>
#include <fstream>
#include <string>

#include <mbus/message.hpp>

#include "envelope_support.hpp"
#include "protocol/replay_table.hpp"

using namespace mbus::protocol;
using namespace mbus::protocol::testing;

namespace {

constexpr std::uint64_t when = 1017619200000;
constexpr std::uint64_t example_sender = 0x0102030405060708;
const std::string example = "mbus/1.0 0 1017619200000 U (app:a id:1-1@127.0.0.1) () ()\r\nmbus.hello()\r\n";

// Made with Python's hmac and libsodium's own functions, not with this code.
const std::string example_encrypted =
    "7a324654454335743247674248564d6f6a30725070513d3d0d0a010203040506070800039d84eeeec001000000eceed4b800"
    "06e5c2297447c8155c7621fae607baa0a956bad7e42302eb39e281bcd4bc1f8b7ef57da4036aa0fb60464bb7df8c639d6ede"
    "1efbf00cd6e392377a5bc1d5e9a8563b4a89546ca00f5a47cf7f7aae3927faaaf4db7b33bdf0ba";
const std::string example_clear =
    "45435443426376433074485363396a5a505930644d513d3d0d0a010203040506070800039d84eeeec001000000eceed4b800"
    "6d6275732f312e3020302031303137363139323030303030205520286170703a612069643a312d31403132372e302e302e31"
    "292028292028290d0a6d6275732e68656c6c6f28290d0a";

session_config modern(cipher_algorithm cipher = cipher_algorithm::xchacha20_poly1305) {
    return make_config(hash_algorithm::hmac_sha256_128, cipher);
}

constexpr std::array modern_ciphers{cipher_algorithm::xchacha20_poly1305, cipher_algorithm::none};

// All hexadecimal octets of the dump in the document that begins with `first_line`.
std::string dump_in_document(const std::string& first_line) {
    std::ifstream file{std::string{MBUS_SOURCE_DIR} + "/docs/modern-profile.md"};
    std::string octets;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line == first_line) inside = true;
        if (inside && line.size() < 6) break;
        if (inside) octets += line.substr(6, 47);
    }
    return from_hex(octets);
}

}  // namespace

TEST_CASE("the worked example of docs/modern-profile.md, encrypted, byte for byte") {
    auto seal = make_envelope(modern(), {.sender_id = example_sender});
    const auto datagram = sealed(seal, example, when);
    CHECK(datagram == from_hex(example_encrypted));
    CHECK(datagram == dump_in_document("0000  7a 32 46 54 45 43 35 74 32 47 67 42 48 56 4d 6f"));
    auto receiver = make_envelope(modern());
    CHECK(opened_as(receiver, datagram, when) == example);
}

TEST_CASE("the worked example of docs/modern-profile.md, authenticated only, byte for byte") {
    auto seal = make_envelope(modern(cipher_algorithm::none), {.sender_id = example_sender});
    const auto datagram = sealed(seal, example, when);
    CHECK(datagram == from_hex(example_clear));
    CHECK(datagram == dump_in_document("0000  45 43 54 43 42 63 76 43 30 74 48 53 63 39 6a 5a"));
    auto receiver = make_envelope(modern(cipher_algorithm::none));
    CHECK(opened_as(receiver, datagram, when) == example);
}

TEST_CASE("a datagram is taken once; the copy from a second interface or a recording is replayed") {
    for (const auto cipher : modern_ciphers) {
        auto seal = make_envelope(modern(cipher));
        auto receiver = make_envelope(modern(cipher));
        const auto first = sealed(seal, m1, when);
        const auto second = sealed(seal, m2, when);
        CHECK(opened_as(receiver, second, when) == m2);
        CHECK(opened_as(receiver, first, when) == m1);
        CHECK(opened_as(receiver, first, when) == dropped(drop_reason::replayed));
        CHECK(opened_as(receiver, second, when + 60'000) == dropped(drop_reason::replayed));
        CHECK(opened_as(receiver, sealed(seal, m3, when), when) == m3);
    }
}

TEST_CASE(
    "equal messages give different datagrams, each of which is taken: retransmissions are sealed anew") {
    auto seal = make_envelope(modern());
    auto receiver = make_envelope(modern());
    CHECK(seal.reseal_needed());
    const auto first = sealed(seal, m1, when);
    const auto again = sealed(seal, m1, when);
    CHECK(first != again);
    CHECK(first.substr(50) != again.substr(50));  // the ciphertexts too
    CHECK(opened_as(receiver, first, when) == m1);
    CHECK(opened_as(receiver, again, when) == m1);
}

TEST_CASE("a datagram that comes 30 s late from an unknown sender is dropped as replayed") {
    auto seal = make_envelope(modern());
    const auto datagram = sealed(seal, m1, when);
    auto early = make_envelope(modern());
    auto late = make_envelope(modern());
    auto in_time = make_envelope(modern());
    CHECK(opened_as(early, datagram, when - freshness_ms - 1) == dropped(drop_reason::replayed));
    CHECK(opened_as(late, datagram, when + freshness_ms + 1) == dropped(drop_reason::replayed));
    CHECK(opened_as(in_time, datagram, when + freshness_ms) == m1);
}

TEST_CASE("numbers go up when the sender's clock is set back") {
    auto seal = make_envelope(modern(), {.sender_id = 1});
    auto receiver = make_envelope(modern());
    CHECK(opened_as(receiver, sealed(seal, m1, when), when) == m1);
    CHECK(opened_as(receiver, sealed(seal, m2, when - 3'600'000), when) == m2);
}

TEST_CASE(
    "[item 125] no bit can be changed, nothing cut off, and a bad datagram does not use up its number") {
    for (const auto cipher : modern_ciphers) {
        auto seal = make_envelope(modern(cipher));
        auto receiver = make_envelope(modern(cipher));
        const auto datagram = sealed(seal, m1, when);
        std::string scratch;
        for (std::size_t bit = 0; bit < datagram.size() * 8; ++bit) {
            std::string changed = datagram;
            changed[bit / 8] =
                static_cast<char>(static_cast<unsigned char>(changed[bit / 8]) ^ 1U << bit % 8);
            const auto what = receiver.open(changed, when, scratch);
            CHECK_MESSAGE(!what.ok, "bit " << bit);
            CHECK(what.reason != drop_reason::replayed);
        }
        for (std::size_t octets = 0; octets < datagram.size(); ++octets) {
            CHECK(!receiver.open(datagram.substr(0, octets), when, scratch).ok);
        }
        CHECK(opened_as(receiver, datagram, when) == m1);
    }
}

TEST_CASE("another hash key: bad MAC; another cipher key: bad ciphertext") {
    auto seal = make_envelope(modern());
    auto config = modern();
    config.cipher_key = counting_key(32, 100);
    auto other_cipher = make_envelope(config);
    config = modern();
    config.hash_key = counting_key(32, 100);
    auto other_hash = make_envelope(config);
    const auto datagram = sealed(seal, m1, when);
    CHECK(opened_as(other_cipher, datagram, when) == dropped(drop_reason::bad_ciphertext));
    CHECK(opened_as(other_hash, datagram, when) == dropped(drop_reason::bad_mac));
    // Clear and encrypted sessions with one hash key do not understand each other either.
    auto clear = make_envelope(modern(cipher_algorithm::none));
    auto encrypted = make_envelope(modern());
    CHECK(opened_as(clear, datagram, when) == dropped(drop_reason::not_mbus));
    CHECK(opened_as(encrypted, sealed(clear, m1, when), when) == dropped(drop_reason::bad_ciphertext));
}

TEST_CASE("an authentic body that is too short for its nonce is dropped") {
    for (const auto cipher : modern_ciphers) {
        auto receiver = make_envelope(modern(cipher));
        // HMAC-SHA256 with key 00..1f over nothing and over 23 octets 'x', first 128 bits.
        CHECK(opened_as(receiver, "04tCCW2A9F+Ca0Sp1WB95w==\r\n", when) ==
              dropped(drop_reason::bad_ciphertext));
        CHECK(opened_as(receiver, "MeU5n4w3OOh9qjAPfOGQig==\r\n" + std::string(23, 'x'), when) ==
              dropped(drop_reason::bad_ciphertext));
    }
}

TEST_CASE("receivers of the two profiles refuse each other by the length of the MAC line") {
    auto rfc = make_envelope(make_config(hash_algorithm::hmac_sha1_96, cipher_algorithm::aes));
    auto seal = make_envelope(modern());
    CHECK(opened_as(rfc, sealed(seal, m1, when), when) == dropped(drop_reason::bad_mac_line));
    CHECK(opened_as(seal, sealed(rfc, m1, when), when) == dropped(drop_reason::bad_mac_line));
}

TEST_CASE("the modern MAC line has one form: 24 characters with padding and CRLF") {
    auto receiver = make_envelope(modern(cipher_algorithm::none));
    const auto datagram = from_hex(example_clear);
    auto lf = datagram;
    lf.erase(24, 1);
    CHECK(opened_as(receiver, lf, when) == dropped(drop_reason::bad_mac_line));
    auto stray_bits = datagram;
    ++stray_bits[21];  // Q to R: the same octets to a careless decoder
    CHECK(opened_as(receiver, stray_bits, when) == dropped(drop_reason::bad_mac_line));
    CHECK(opened_as(receiver, datagram, when) == example);
}

TEST_CASE("legacy has no effect on the modern profile") {
    auto seal = make_envelope(modern(), {.legacy = true, .sender_id = example_sender});
    CHECK(sealed(seal, example, when) == from_hex(example_encrypted));
}

TEST_CASE("the largest modern message fills a datagram exactly") {
    for (const auto cipher : modern_ciphers) {
        auto seal = make_envelope(modern(cipher));
        auto receiver = make_envelope(modern(cipher));
        const std::size_t most = seal.message_octets_max(mbus::datagram_octets_max);
        const std::string message = "mbus/1.0 " + std::string(most - 9, 'x');
        const auto datagram = sealed(seal, message, when);
        CHECK(datagram.size() == mbus::datagram_octets_max);
        CHECK(opened_as(receiver, datagram, when) == message);
        CHECK(seal.message_octets_max(40) == 0);
    }
}
