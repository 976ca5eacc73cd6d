#include "sasl/scram.hpp"

#include <array>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "sasl/base64_text.hpp"

namespace mbusd {
namespace {

const EVP_MD* digest(scram_hash hash) noexcept { return hash == scram_hash::sha1 ? EVP_sha1() : EVP_sha256(); }

const unsigned char* octets(std::string_view text) noexcept { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string mac(scram_hash hash, std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    ::HMAC(digest(hash), key.data(), static_cast<int>(key.size()), octets(text), text.size(), out.data(), &size);
    return {reinterpret_cast<const char*>(out.data()), size};
}

std::string hashed(scram_hash hash, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    ::EVP_Digest(text.data(), text.size(), out.data(), &size, digest(hash), nullptr);
    return {reinterpret_cast<const char*>(out.data()), size};
}

std::string salted(scram_hash hash, std::string_view password, std::string_view salt, std::uint32_t iterations) {
    std::string out(static_cast<std::size_t>(::EVP_MD_get_size(digest(hash))), '\0');
    ::PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets(salt), static_cast<int>(salt.size()),
                        static_cast<int>(iterations), digest(hash), static_cast<int>(out.size()),
                        reinterpret_cast<unsigned char*>(out.data()));
    return out;
}

bool same_secret(std::string_view left, std::string_view right) noexcept {
    return left.size() == right.size() && ::CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

// "n=ann" of "n=ann,r=x": the value of the next attribute, which must be `name`.
std::optional<std::string_view> take(std::string_view& from, char name) {
    if (from.size() < 2 || from[0] != name || from[1] != '=') return std::nullopt;
    const auto comma = from.find(',');
    const auto value = from.substr(2, comma == std::string_view::npos ? comma : comma - 2);
    from = comma == std::string_view::npos ? std::string_view{} : from.substr(comma + 1);
    return value;
}

// "=2C" is a comma and "=3D" an equals sign (RFC 5802, section 5.1).
std::optional<std::string> unescaped_name(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out += text[i];
            continue;
        }
        const auto code = text.substr(i, 3);
        if (code == "=2C") out += ',';
        else if (code == "=3D") out += '=';
        else return std::nullopt;
        i += 2;
    }
    return out;
}

}  // namespace

scram_keys make_scram_keys(scram_hash hash, std::string_view password, std::string_view salt, std::uint32_t iterations) {
    auto secret = salted(hash, password, salt, iterations);
    auto client_key = mac(hash, secret, "Client Key");
    scram_keys out{hash, iterations, std::string{salt}, hashed(hash, client_key), mac(hash, secret, "Server Key")};
    ::OPENSSL_cleanse(secret.data(), secret.size());
    ::OPENSSL_cleanse(client_key.data(), client_key.size());
    return out;
}

bool password_fits(const scram_keys& keys, std::string_view password) {
    return same_secret(make_scram_keys(keys.hash, password, keys.salt, keys.iterations).stored_key, keys.stored_key);
}

scram_keys made_up_keys(scram_hash hash, std::string_view user, std::string_view secret) {
    const auto base = mac(scram_hash::sha256, secret, user);
    return {hash, scram_iterations, base.substr(0, 16), hashed(hash, base), mac(hash, base, "Server Key")};
}

scram_exchange::scram_exchange(scram_hash hash, std::string nonce, key_finder find)
    : hash_(hash), nonce_(std::move(nonce)), find_(std::move(find)) {}

scram_exchange::answer scram_exchange::step(std::string_view message) {
    return std::exchange(begun_, true) ? final(message) : first(message);
}

// gs2-cbind-flag "," [ "a=" authzid ] "," "n=" user ",r=" nonce [ "," extensions ]
scram_exchange::answer scram_exchange::first(std::string_view message) {
    if (!message.starts_with("n,") && !message.starts_with("y,")) return {verdict::malformed};  // no channel binding here
    const auto header_end = message.find(',', 2);
    if (header_end == std::string_view::npos) return {verdict::malformed};
    gs2_header_ = message.substr(0, header_end + 1);
    auto authzid = message.substr(2, header_end - 2);
    if (!authzid.empty()) {
        if (!authzid.starts_with("a=")) return {verdict::malformed};
        const auto name = unescaped_name(authzid.substr(2));
        if (!name) return {verdict::malformed};
        authzid_ = *name;
    }
    const auto bare = message.substr(header_end + 1);
    auto rest = bare;
    const auto user = take(rest, 'n');
    const auto client_nonce = take(rest, 'r');
    if (!user || !client_nonce || client_nonce->empty()) return {verdict::malformed};
    auto name = unescaped_name(*user);
    if (!name || name->empty()) return {verdict::malformed};
    user_ = std::move(*name);
    keys_ = find_(user_);
    nonce_ = std::string{*client_nonce} + nonce_;
    auto challenge = "r=" + nonce_ + ",s=" + to_base64(keys_.salt) + ",i=" + std::to_string(keys_.iterations);
    signed_so_far_ = std::string{bare} + "," + challenge;
    return {verdict::challenge, std::move(challenge)};
}

// "c=" gs2-header in Base64 ",r=" nonce [ "," extensions ] ",p=" proof
scram_exchange::answer scram_exchange::final(std::string_view message) {
    const auto proof_at = message.rfind(",p=");
    if (proof_at == std::string_view::npos) return {verdict::malformed};
    auto rest = message.substr(0, proof_at);
    const auto binding = take(rest, 'c');
    const auto nonce = take(rest, 'r');
    const auto proof = from_base64(message.substr(proof_at + 3));
    if (!binding || !nonce || !proof) return {verdict::malformed};
    const auto header = from_base64(*binding);
    if (!header || *header != gs2_header_) return {verdict::malformed};
    if (*nonce != nonce_) return {verdict::not_authorized};

    const auto text = signed_so_far_ + "," + std::string{message.substr(0, proof_at)};
    auto client_key = mac(hash_, keys_.stored_key, text);
    if (proof->size() != client_key.size()) return {verdict::not_authorized};
    for (std::size_t i = 0; i < client_key.size(); ++i) client_key[i] = static_cast<char>(client_key[i] ^ (*proof)[i]);
    const bool fits = same_secret(hashed(hash_, client_key), keys_.stored_key);
    ::OPENSSL_cleanse(client_key.data(), client_key.size());
    if (!fits) return {verdict::not_authorized};
    auto signature = "v=" + to_base64(mac(hash_, keys_.server_key, text));
    if (!authzid_.empty() && authzid_ != user_) return {verdict::invalid_authzid, std::move(signature), authzid_};
    return {verdict::success, std::move(signature)};
}

}  // namespace mbusd
