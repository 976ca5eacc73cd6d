// Making keys and telling them apart: the part of a session's configuration that needs libsodium.
#include <array>

#include <sodium.h>

#include "protocol/invariant.hpp"
#include "protocol/session_config.hpp"

namespace mbus::protocol {
namespace {

constexpr std::size_t key_octets_max = 32;
constexpr std::size_t fingerprint_octets = 8;

secret random_key(std::size_t octets) {
    invariant(octets <= key_octets_max);
    std::array<std::byte, key_octets_max> fresh;
    randombytes_buf(fresh.data(), octets);
    secret key{std::span<const std::byte>{fresh.data(), octets}};
    sodium_memzero(fresh.data(), fresh.size());
    return key;
}

void add(crypto_generichash_state& hash, const void* data, std::size_t octets) {
    const std::array<unsigned char, 2> size{static_cast<unsigned char>(octets >> 8U & 0xFFU),
                                            static_cast<unsigned char>(octets & 0xFFU)};
    crypto_generichash_update(&hash, size.data(), size.size());
    crypto_generichash_update(&hash, static_cast<const unsigned char*>(data), octets);
}

}  // namespace

session_config generate_session_config(key_profile profile, scope where) {
    invariant(sodium_init() >= 0);
    session_config config;
    config.scope = where;
    if (profile == key_profile::modern) {
        config.hash = hash_algorithm::hmac_sha256_128;
        config.cipher = cipher_algorithm::xchacha20_poly1305;
    } else if (profile == key_profile::rfc) {
        config.cipher = cipher_algorithm::aes;
    }
    config.hash_key = random_key(native_key_octets(config.hash));
    config.cipher_key = random_key(native_key_octets(config.cipher));
    return config;
}

std::string key_fingerprint(const session_config& config) {
    invariant(sodium_init() >= 0);
    constexpr std::string_view purpose = "mbus key fingerprint";
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, nullptr, 0, crypto_generichash_BYTES);
    add(hash, purpose.data(), purpose.size());
    for (const auto name : {to_string(config.hash), to_string(config.cipher)})
        add(hash, name.data(), name.size());
    add(hash, config.hash_key.octets().data(), config.hash_key.octets().size());
    if (config.cipher != cipher_algorithm::none) {
        add(hash, config.cipher_key.octets().data(), config.cipher_key.octets().size());
    }
    std::array<unsigned char, crypto_generichash_BYTES> digest;
    crypto_generichash_final(&hash, digest.data(), digest.size());
    sodium_memzero(&hash, sizeof hash);
    std::array<char, fingerprint_octets * 2 + 1> text;
    sodium_bin2hex(text.data(), text.size(), digest.data(), fingerprint_octets);
    return text.data();
}

}  // namespace mbus::protocol
