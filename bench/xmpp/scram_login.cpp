#include "xmpp/scram_login.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <stdexcept>
#include <utility>

#include "sasl/base64_text.hpp"

namespace bench {
namespace {

// The server's part of the nonce is what makes each exchange another one.
constexpr std::string_view nonce = "bench";

const unsigned char* octets(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hmac(std::string_view key, std::string_view text) {
    std::string out(SHA_DIGEST_LENGTH, '\0');
    ::HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), octets(text), text.size(),
           reinterpret_cast<unsigned char*>(out.data()), nullptr);
    return out;
}

std::string hash(std::string_view text) {
    std::string out(SHA_DIGEST_LENGTH, '\0');
    ::SHA1(octets(text), text.size(), reinterpret_cast<unsigned char*>(out.data()));
    return out;
}

// The value of `name=` in a message of SCRAM.
std::string_view value_of(std::string_view message, char name) {
    while (message.size() >= 2) {
        const auto end = std::min(message.find(','), message.size());
        if (message[0] == name && message[1] == '=') return message.substr(2, end - 2);
        message.remove_prefix(std::min(end + 1, message.size()));
    }
    throw std::runtime_error("the challenge of the login lacks a value");
}

}  // namespace

scram_login::scram_login(std::string user, std::string password)
    : password_(std::move(password)), first_bare_("n=" + std::move(user) + ",r=" + std::string{nonce}) {}

std::string scram_login::first() const { return mbusd::to_base64("n,," + first_bare_); }

std::string scram_login::answer_to(std::string_view challenge) {
    const auto server_first = mbusd::from_base64(challenge).value_or("");
    const std::string salt{value_of(server_first, 's')};
    if (salt != salt_) {
        salt_ = salt;
        const auto raw = mbusd::from_base64(salt).value_or("");
        salted_password_.assign(SHA_DIGEST_LENGTH, '\0');
        ::PKCS5_PBKDF2_HMAC(password_.data(), static_cast<int>(password_.size()), octets(raw),
                            static_cast<int>(raw.size()), std::stoi(std::string{value_of(server_first, 'i')}),
                            EVP_sha1(), SHA_DIGEST_LENGTH,
                            reinterpret_cast<unsigned char*>(salted_password_.data()));
    }
    const auto last = "c=biws,r=" + std::string{value_of(server_first, 'r')};
    const auto client_key = hmac(salted_password_, "Client Key");
    auto proof = hmac(hash(client_key), first_bare_ + "," + server_first + "," + last);
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ client_key[i]);
    return mbusd::to_base64(last + ",p=" + mbusd::to_base64(proof));
}

}  // namespace bench
