// Tokens of clients that are no users of this host: 32 random octets as 43 URL-safe characters. The
// tool makes them; the daemon sees a token when it is used, and keeps its hash only.
//
//     const auto hash = hash_token(text);              // 32 octets; look them up in a map
//     if (auto no = refuses_client_name(name)) ...
//
// The hash needs no salt, no slow function and no comparison in constant time: a token has 256 random
// bits, so nobody gets from parts of a hash to a token, and nobody can choose a token whose hash begins
// like a known one. Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mbusd {

inline constexpr std::size_t token_octets = 32;
inline constexpr std::size_t token_characters = 43;  // Base64 of 32 octets without padding
inline constexpr std::size_t token_hash_octets = 32;
inline constexpr std::size_t client_name_octets_max = 64;

// A new token, from the kernel's random numbers.
[[nodiscard]] std::string make_token();
// BLAKE2b-256 of the characters.
[[nodiscard]] std::string hash_token(std::string_view token);
// 43 URL-safe characters; anything else is no token and needs no look-up.
[[nodiscard]] bool is_token(std::string_view text) noexcept;

// The hash as 64 hexadecimal digits, as it travels in `mbusd.client-add`.
[[nodiscard]] std::string hex_of_hash(std::string_view hash);
[[nodiscard]] std::optional<std::string> hash_from_hex(std::string_view digits);

// Names of clients: 1 to 64 of letters, digits and - _ . The sentence says what is wrong.
[[nodiscard]] std::optional<std::string> refuses_client_name(std::string_view name);

// Names of accounts, which are part of a JID too: without capital letters, since "Ann" and "ann" are the same there.
[[nodiscard]] std::optional<std::string> refuses_account_name(std::string_view name);
// In place of the hash of a token for a client that has none: no token has it.
[[nodiscard]] std::string hash_of_no_token(std::string_view name);

}  // namespace mbusd
