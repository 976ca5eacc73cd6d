// The configuration of an Mbus session: keys, scope, group and port (RFC 3259, section 12).
// Parsing only; the file is read, and its mode checked, by daemon/config/session_file.
//
// Thread-safety: plain values. Keys live in memory that is locked and wiped (`secret`).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/result.hpp>

namespace mbus::protocol {

inline constexpr std::uint16_t default_port = 47000;                     // section 6.1.4
inline constexpr std::string_view default_group_v4 = "239.255.255.247";  // section 6.1.1
inline constexpr std::string_view default_group_v6_host = "ff01::300";   // section 6.1.2
inline constexpr std::string_view default_group_v6_link = "ff02::300";   // section 6.1.2
inline constexpr std::size_t session_file_octets_max = 64 * 1024;        // a real one has 200 octets

enum class scope : std::uint8_t { host_local, link_local };
enum class hash_algorithm : std::uint8_t { hmac_md5_96, hmac_sha1_96, hmac_sha256_128 };
enum class cipher_algorithm : std::uint8_t { none, aes, des, triple_des, idea, xchacha20_poly1305 };

[[nodiscard]] std::string_view to_string(scope which) noexcept;             // "HOSTLOCAL"
[[nodiscard]] std::string_view to_string(hash_algorithm which) noexcept;    // "HMAC-SHA1-96"
[[nodiscard]] std::string_view to_string(cipher_algorithm which) noexcept;  // "NOENCR"
[[nodiscard]] std::size_t native_key_octets(hash_algorithm which) noexcept;
[[nodiscard]] std::size_t native_key_octets(cipher_algorithm which) noexcept;

// Key octets in locked memory, wiped when freed; never printed.
class secret {
public:
    secret() = default;
    explicit secret(std::span<const std::byte> octets);
    secret(const secret& other);
    secret(secret&& other) noexcept;
    secret& operator=(secret other) noexcept;
    ~secret();

    [[nodiscard]] std::span<const std::byte> octets() const noexcept { return {data_, size_}; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    bool operator==(const secret& other) const noexcept;  // constant time for equal lengths

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

struct session_config {
    hash_algorithm hash = hash_algorithm::hmac_sha1_96;
    secret hash_key;
    cipher_algorithm cipher = cipher_algorithm::none;
    secret cipher_key;
    mbus::protocol::scope scope = mbus::protocol::scope::host_local;
    bool broadcast = false;  // ADDRESS=BROADCAST
    // ADDRESS=..., as written: a valid IPv4 or IPv6 multicast address. Empty: the groups of section 6.1,
    // which is also what ADDRESS=239.255.255.247 says.
    std::optional<std::string> group;
    std::uint16_t port = default_port;
    std::vector<std::string> warnings;  // read, but worth telling: "line 4: ..."
};

struct session_config_options {
    // A hash key shorter than the algorithm's native length is an error (RFC 3259, section 11.3)
    // unless this is set (legacy files, trap C4): then a warning.
    bool allow_short_hash_key = false;
    bool strict = false;  // unknown keys, comments and blank lines are errors too (trap F5)
};

// Parses the text of a `.mbus` file. Errors: errc::bad_config, the text starts with "line N: " and
// says what was expected and how to fix it. No error or warning ever contains key material.
result<session_config> parse_session_config(std::string_view text,
                                            const session_config_options& options = {});

// The text of a `.mbus` file for `config`: exactly the RFC's grammar, LF line ends, ADDRESS and PORT
// always written because other implementations have other defaults (trap T7). Holds the keys: the
// caller shows it to nobody but their owner and wipes it.
std::string format_session_config(const session_config& config);

// Fresh random keys of full length: HMAC-SHA1-96 and AES (or without encryption), or the modern profile.
enum class key_profile : std::uint8_t { rfc, rfc_unencrypted, modern };
session_config generate_session_config(key_profile profile, scope where);

// A short hash of algorithms and keys, 16 hexadecimal digits: equal on two hosts if these are equal,
// says nothing about them.
std::string key_fingerprint(const session_config& config);

}  // namespace mbus::protocol
