// SCRAM (RFC 5802, RFC 7677): what a server stores of a password, and its side of the exchange.
//
//     auto keys = make_scram_keys(scram_hash::sha256, password, random_salt, scram_iterations);
//     scram_exchange exchange{scram_hash::sha256, nonce, [&](std::string_view user) { return find(user); }};
//     auto first = exchange.step("n,,n=ann,r=abc");     // challenge
//     auto last = exchange.step("c=biws,r=...,p=...");  // success, with the server's signature
//
// Passwords are taken as they are in UTF-8: SASLprep leaves ASCII as it is, and clients prepare the rest.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mbusd {

enum class scram_hash : std::uint8_t { sha1, sha256 };

// RFC 7677, section 4: at least 4096.
inline constexpr std::uint32_t scram_iterations = 10000;
inline constexpr std::uint32_t scram_iterations_min = 4096;

// Enough to check a password, not enough to log in with.
struct scram_keys {
    scram_hash hash = scram_hash::sha256;
    std::uint32_t iterations = 0;
    std::string salt;
    std::string stored_key;
    std::string server_key;
};

[[nodiscard]] scram_keys make_scram_keys(scram_hash hash, std::string_view password, std::string_view salt,
                                         std::uint32_t iterations);
// Takes as long whatever the password is.
[[nodiscard]] bool password_fits(const scram_keys& keys, std::string_view password);
// Keys that nothing fits, the same for a user at each call: so that unknown users look like known ones.
[[nodiscard]] scram_keys made_up_keys(scram_hash hash, std::string_view user, std::string_view secret);

class scram_exchange {
public:
    // invalid_authzid: the password is right, and another name than the user's is asked for.
    enum class verdict : std::uint8_t { challenge, success, not_authorized, malformed, invalid_authzid };
    struct answer {
        verdict what = verdict::malformed;
        std::string data{};     // for the client, not yet in Base64
        std::string authzid{};  // invalid_authzid: whom it wants to be; `data` would be for success
    };
    // Keys of the user in this hash; what made_up_keys() gives for unknown ones.
    using key_finder = std::function<scram_keys(std::string_view user)>;

    // `nonce`: printable, random, without a comma.
    scram_exchange(scram_hash hash, std::string nonce, key_finder find);

    answer step(std::string_view message);
    // After success.
    [[nodiscard]] const std::string& user() const noexcept { return user_; }

private:
    answer first(std::string_view message);
    answer final(std::string_view message);

    scram_hash hash_;
    std::string nonce_;
    key_finder find_;
    std::string user_;
    std::string authzid_;
    std::string gs2_header_;
    std::string signed_so_far_;  // client-first-bare "," server-first
    scram_keys keys_;
    bool begun_ = false;
};

}  // namespace mbusd
