// DES and IDEA: RFC 3259, section 11.2 says SHOULD; OpenSSL 3 keeps them in a provider that is not
// loaded by default, libgcrypt simply has them.
#include <array>
#include <string>

#include <gcrypt.h>

#include "protocol/envelope_cipher.hpp"
#include "protocol/invariant.hpp"

namespace mbus::protocol {
namespace {

constexpr std::size_t block = 8;  // of DES and IDEA alike

class gcrypt_cipher final : public block_cipher {
public:
    explicit gcrypt_cipher(gcry_cipher_hd_t handle) noexcept : handle_(handle) {}
    ~gcrypt_cipher() override { gcry_cipher_close(handle_); }  // wipes the key schedule

    [[nodiscard]] std::size_t block_octets() const noexcept override { return block; }

    void encrypt(const char* from, char* to, std::size_t octets) noexcept override {
        reset();
        const bool in_place = from == to;
        invariant(
            gcry_cipher_encrypt(handle_, to, octets, in_place ? nullptr : from, in_place ? 0 : octets) == 0);
    }

    void decrypt(const char* from, char* to, std::size_t octets) noexcept override {
        reset();
        const bool in_place = from == to;
        invariant(
            gcry_cipher_decrypt(handle_, to, octets, in_place ? nullptr : from, in_place ? 0 : octets) == 0);
    }

private:
    void reset() noexcept {
        constexpr std::array<unsigned char, block> zero_vector{};
        invariant(gcry_cipher_setiv(handle_, zero_vector.data(), zero_vector.size()) == 0);
    }

    gcry_cipher_hd_t handle_;
};

// libgcrypt wants to be told once; another part of the process may have done it.
void initialise() {
    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P) != 0) return;
    gcry_check_version(nullptr);
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

}  // namespace

result<std::unique_ptr<block_cipher>> make_gcrypt_cipher(cipher_algorithm which,
                                                         std::span<const std::byte> key) {
    initialise();
    const auto name = std::string{to_string(which)};
    const int algorithm = which == cipher_algorithm::des ? GCRY_CIPHER_DES : GCRY_CIPHER_IDEA;
    gcry_cipher_hd_t handle = nullptr;
    if (gcry_cipher_open(&handle, algorithm, GCRY_CIPHER_MODE_CBC, 0) != 0) {
        return {errc::bad_config, "the installed libgcrypt has no " + name + "; use AES"};
    }
    auto cipher = std::make_unique<gcrypt_cipher>(handle);
    // Parity bits are ignored (trap C8); the few keys that DES treats as weak are refused.
    if (gcry_cipher_setkey(handle, key.data(), key.size()) != 0) {
        return {errc::bad_config, "the key is one of the weak keys of " + name + "; choose another key"};
    }
    return std::unique_ptr<block_cipher>{std::move(cipher)};
}

}  // namespace mbus::protocol
