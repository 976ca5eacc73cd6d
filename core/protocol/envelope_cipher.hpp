// A block cipher in CBC mode with an initialisation vector of zeros, one message at a time
// (RFC 3259, section 11.2; the RFC transmits no vector, and DES in the field uses zeros, trap C1).
// Padding is the envelope's.
//
// Not thread-safe: belongs to one envelope.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <mbus/result.hpp>

#include "protocol/session_config.hpp"

namespace mbus::protocol {

class block_cipher {
public:
    virtual ~block_cipher() = default;
    block_cipher(const block_cipher&) = delete;
    block_cipher& operator=(const block_cipher&) = delete;

    [[nodiscard]] virtual std::size_t block_octets() const noexcept = 0;

    // `octets` is a multiple of block_octets(). `to` is `from` or does not overlap it.
    virtual void encrypt(const char* from, char* to, std::size_t octets) noexcept = 0;
    virtual void decrypt(const char* from, char* to, std::size_t octets) noexcept = 0;

protected:
    block_cipher() = default;
};

// For aes, des, triple_des, idea. Errors: errc::bad_config for a key that does not fit, or an
// algorithm that this build does not have.
result<std::unique_ptr<block_cipher>> make_block_cipher(cipher_algorithm which,
                                                        std::span<const std::byte> key);

// DES and IDEA, in builds with libgcrypt; a key of the native length is given.
result<std::unique_ptr<block_cipher>> make_gcrypt_cipher(cipher_algorithm which,
                                                         std::span<const std::byte> key);

}  // namespace mbus::protocol
