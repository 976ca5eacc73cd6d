// What the envelope's tests share: hexadecimal text, keys 00 01 02 .., and the example messages
// (docs/rfc3259.md, "Test vectors").
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/envelope.hpp"
#include "protocol/session_config.hpp"

namespace mbus::protocol::testing {

inline std::string from_hex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string octets;
    std::string digits;
    for (const char c : hex) {
        if (c != ' ' && c != '\n') digits += c;
    }
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        octets += static_cast<char>(digit(digits[at]) * 16 + digit(digits[at + 1]));
    }
    return octets;
}

inline secret key_of(std::string_view octets) {
    return secret{std::span{reinterpret_cast<const std::byte*>(octets.data()), octets.size()}};
}

// `octets` octets that count up from `first`.
inline secret counting_key(std::size_t octets, int first = 0) {
    std::string key;
    for (std::size_t at = 0; at < octets; ++at) key += static_cast<char>(first + static_cast<int>(at));
    return key_of(key);
}

inline session_config make_config(hash_algorithm hash, cipher_algorithm cipher = cipher_algorithm::none) {
    session_config config;
    config.hash = hash;
    config.hash_key = counting_key(native_key_octets(hash));
    config.cipher = cipher;
    if (cipher == cipher_algorithm::des) {
        config.cipher_key = key_of(from_hex("0123456789abcdef"));
    } else {
        config.cipher_key =
            counting_key(native_key_octets(cipher), cipher == cipher_algorithm::xchacha20_poly1305 ? 32 : 0);
    }
    return config;
}

inline envelope make_envelope(const session_config& config, const envelope_options& options = {}) {
    auto made = envelope::create(config, options);
    if (!made) throw std::runtime_error{made.error().text};
    return std::move(*made);
}

inline std::string sealed(envelope& by, std::string_view message, std::uint64_t wall_ms = 0) {
    std::string datagram;
    by.seal(message, wall_ms, datagram);
    return datagram;
}

// What opening gave: the message, or the reason as text.
inline std::string opened_as(envelope& by, std::string_view datagram, std::uint64_t wall_ms = 0) {
    std::string scratch;
    const auto what = by.open(datagram, wall_ms, scratch);
    return what.ok ? std::string{what.message} : "dropped: " + std::to_string(static_cast<int>(what.reason));
}

inline std::string dropped(drop_reason reason) {
    return "dropped: " + std::to_string(static_cast<int>(reason));
}

inline const std::string address_a = "(conf:test media:audio module:engine app:rat id:4711-1@192.168.1.1)";
inline const std::string address_b = "(conf:test media:audio module:ui app:rat id:4712-1@192.168.1.1)";
inline const std::string m1 = "mbus/1.0 0 1017619200000 U " + address_a + " () ()\r\nmbus.hello()";
inline const std::string m2 = m1 + "\r\n";
inline const std::string m3 = "mbus/1.0 7 1017619201500 R " + address_a + ' ' + address_b +
                              " (3 4)\r\nmbus.go(ready)\r\n"
                              R"(demo.text("a\"b\\c\nd" -1 2.50 <AAECAw==> (x 1)))";
inline const std::string m4 = "mbus/1.0 8 1017619201560 U " + address_b + ' ' + address_a + " (7)";

}  // namespace mbus::protocol::testing
