#include "protocol/envelope_cipher.hpp"

#include <array>
#include <string>

#include <openssl/evp.h>

#include "protocol/invariant.hpp"

namespace mbus::protocol {
namespace {

constexpr std::size_t aes_block = 16;
constexpr std::size_t des_block = 8;
constexpr std::array<unsigned char, aes_block> zero_vector{};

// AES and 3DES. The key schedules are made once; each message only resets the vector.
class openssl_cipher final : public block_cipher {
public:
    openssl_cipher(const EVP_CIPHER* algorithm, std::size_t block, std::span<const std::byte> key)
        : block_(block), encrypting_(EVP_CIPHER_CTX_new()), decrypting_(EVP_CIPHER_CTX_new()) {
        invariant(encrypting_ && decrypting_);
        const auto* octets = reinterpret_cast<const unsigned char*>(key.data());
        invariant(EVP_EncryptInit_ex(encrypting_.get(), algorithm, nullptr, octets, zero_vector.data()) == 1);
        invariant(EVP_DecryptInit_ex(decrypting_.get(), algorithm, nullptr, octets, zero_vector.data()) == 1);
        EVP_CIPHER_CTX_set_padding(encrypting_.get(), 0);
        EVP_CIPHER_CTX_set_padding(decrypting_.get(), 0);
    }

    [[nodiscard]] std::size_t block_octets() const noexcept override { return block_; }

    void encrypt(const char* from, char* to, std::size_t octets) noexcept override {
        invariant(EVP_EncryptInit_ex(encrypting_.get(), nullptr, nullptr, nullptr, zero_vector.data()) == 1);
        int written = 0;
        invariant(EVP_EncryptUpdate(encrypting_.get(), reinterpret_cast<unsigned char*>(to), &written,
                                    reinterpret_cast<const unsigned char*>(from),
                                    static_cast<int>(octets)) == 1);
        invariant(written == static_cast<int>(octets));
    }

    void decrypt(const char* from, char* to, std::size_t octets) noexcept override {
        invariant(EVP_DecryptInit_ex(decrypting_.get(), nullptr, nullptr, nullptr, zero_vector.data()) == 1);
        int written = 0;
        invariant(EVP_DecryptUpdate(decrypting_.get(), reinterpret_cast<unsigned char*>(to), &written,
                                    reinterpret_cast<const unsigned char*>(from),
                                    static_cast<int>(octets)) == 1);
        invariant(written == static_cast<int>(octets));
    }

private:
    struct free_context {
        void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
    };
    using context = std::unique_ptr<EVP_CIPHER_CTX, free_context>;

    std::size_t block_;
    context encrypting_;
    context decrypting_;
};

}  // namespace

result<std::unique_ptr<block_cipher>> make_block_cipher(cipher_algorithm which,
                                                        std::span<const std::byte> key) {
    const auto name = std::string{to_string(which)};
    if (key.size() != native_key_octets(which)) {
        return {errc::bad_config, "the key of " + name + " has " + std::to_string(key.size()) +
                                      " octets, expected " + std::to_string(native_key_octets(which)) +
                                      "; make a new one with: mbus key new"};
    }
    switch (which) {
    case cipher_algorithm::aes:
        return std::unique_ptr<block_cipher>{
            std::make_unique<openssl_cipher>(EVP_aes_128_cbc(), aes_block, key)};
    case cipher_algorithm::triple_des:  // three keys, encrypt-decrypt-encrypt (trap C2)
        return std::unique_ptr<block_cipher>{
            std::make_unique<openssl_cipher>(EVP_des_ede3_cbc(), des_block, key)};
    case cipher_algorithm::des:
    case cipher_algorithm::idea:
#ifdef MBUS_WITH_LIBGCRYPT
        return make_gcrypt_cipher(which, key);
#else
        return {errc::bad_config,
                "this build has no " + name + "; use AES, or build with -DMBUS_WITH_LIBGCRYPT=ON"};
#endif
    case cipher_algorithm::none:
    case cipher_algorithm::xchacha20_poly1305: break;
    }
    return {errc::bad_config, name + " is not a block cipher of RFC 3259"};
}

}  // namespace mbus::protocol
