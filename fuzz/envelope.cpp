// Opening datagrams: the first octet chooses the session's algorithms and how the rest is used.
#include <array>
#include <span>
#include <string>
#include <utility>

#include <mbus/message.hpp>

#include "fuzz.hpp"
#include "message/text.hpp"
#include "protocol/envelope.hpp"
#include "protocol/envelope_mac.hpp"

using namespace mbus::protocol;

namespace {

constexpr std::uint64_t wall_ms = 1'017'619'200'000;

struct combination {
    hash_algorithm hash;
    cipher_algorithm cipher;
    bool legacy;
};

constexpr std::array combinations{
    combination{hash_algorithm::hmac_sha1_96, cipher_algorithm::none, false},
    combination{hash_algorithm::hmac_md5_96, cipher_algorithm::none, true},
    combination{hash_algorithm::hmac_sha1_96, cipher_algorithm::aes, false},
    combination{hash_algorithm::hmac_sha1_96, cipher_algorithm::triple_des, false},
    combination{hash_algorithm::hmac_md5_96, cipher_algorithm::aes, true},
    combination{hash_algorithm::hmac_sha256_128, cipher_algorithm::none, false},
    combination{hash_algorithm::hmac_sha256_128, cipher_algorithm::xchacha20_poly1305, false},
};

session_config config_of(const combination& which) {
    const std::array<std::byte, 32> key{};
    session_config config;
    config.hash = which.hash;
    config.hash_key = secret{std::span{key}.first(native_key_octets(which.hash))};
    config.cipher = which.cipher;
    config.cipher_key = secret{std::span{key}.first(native_key_octets(which.cipher))};
    return config;
}

envelope envelope_of(const combination& which) {
    auto made = envelope::create(config_of(which), {.legacy = which.legacy});
    fuzz::require(made.has_value(), "every combination makes an envelope");
    return std::move(*made);
}

// Passes what comes through on to the parser, as the engine does.
void open(envelope& by, std::string_view datagram) {
    std::string scratch;
    const auto what = by.open(datagram, wall_ms, scratch);
    if (!what.ok) return;
    fuzz::require(what.message.starts_with("mbus/"), "what is opened begins with mbus/");
    (void)mbus::parse_message(what.message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > mbus::datagram_octets_max) return 0;
    const auto& which = combinations[data[0] % combinations.size()];
    const std::size_t use = data[0] / combinations.size() % 3;
    const std::string_view rest = fuzz::text_of(data, size).substr(1);
    auto by = envelope_of(which);
    if (use == 0) {  // as it came from the network
        open(by, rest);
    } else if (use == 1) {  // with a MAC that holds, so that what stands behind it is reached
        const auto mac = make_keyed_mac(which.hash, config_of(which).hash_key.octets());
        std::array<std::byte, mac_octets_max> digest;
        mac->compute(rest, digest.data());
        std::string datagram(mbus::text::base64_characters(mac->octets()), '\0');
        mbus::text::encode_base64({digest.data(), mac->octets()}, datagram.data());
        datagram += "\r\n";
        datagram += rest;
        open(by, datagram);
    } else {  // sealed: comes out again, less trailing NULs where they are padding
        std::string datagram;
        by.seal(rest, wall_ms, datagram);
        std::string scratch;
        const auto what = by.open(datagram, wall_ms, scratch);
        fuzz::require(what.ok == rest.starts_with("mbus/"), "what is sealed can be opened");
        fuzz::require(!what.ok || rest.starts_with(what.message), "opening gives what was sealed");
    }
    return 0;
}
