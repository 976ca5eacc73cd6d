#include "protocol/envelope_modern.hpp"

#include <sodium.h>

#include "protocol/invariant.hpp"

namespace mbus::protocol {
namespace {

constexpr std::size_t tag_octets = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(nonce_octets == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);

unsigned char* octets(char* text) noexcept { return reinterpret_cast<unsigned char*>(text); }
const unsigned char* octets(const char* text) noexcept {
    return reinterpret_cast<const unsigned char*>(text);
}
const unsigned char* octets(const secret& key) noexcept {
    return reinterpret_cast<const unsigned char*>(key.octets().data());
}

void write_big_endian(std::uint64_t number, char* out) noexcept {
    for (int shift = 56; shift >= 0; shift -= 8) *out++ = static_cast<char>(number >> shift & 0xFFU);
}

std::uint64_t read_big_endian(const char* in) noexcept {
    std::uint64_t number = 0;
    for (int at = 0; at < 8; ++at) number = number << 8U | static_cast<unsigned char>(in[at]);
    return number;
}

std::uint64_t random_sender() noexcept {
    invariant(sodium_init() >= 0);
    std::uint64_t id = 0;
    while (id == 0) randombytes_buf(&id, sizeof id);
    return id;
}

}  // namespace

modern_body::modern_body(const session_config& config, std::uint64_t sender_id)
    : key_(config.cipher == cipher_algorithm::none ? secret{} : config.cipher_key),
      sender_(sender_id != 0 ? sender_id : random_sender()) {}

std::size_t modern_body::overhead() const noexcept { return nonce_octets + (encrypts() ? tag_octets : 0); }

void modern_body::seal(std::string_view message, std::uint64_t wall_ms, char* out) noexcept {
    // The first number comes from the clock, in microseconds, so that numbers would rise across restarts
    // even if two starts drew the same sender id: a nonce is never used twice.
    number_ = number_ == 0 ? wall_ms * 1000 + 1 : number_ + 1;
    write_big_endian(sender_, out);
    write_big_endian(number_, out + 8);
    write_big_endian(wall_ms, out + 16);
    if (!encrypts()) {
        message.copy(out + nonce_octets, message.size());
        return;
    }
    unsigned long long written = 0;
    crypto_aead_xchacha20poly1305_ietf_encrypt(octets(out + nonce_octets), &written, octets(message.data()),
                                               message.size(), nullptr, 0, nullptr, octets(out),
                                               octets(key_));
    invariant(written == message.size() + tag_octets);
}

modern_body::opened modern_body::open(std::string_view body, std::uint64_t wall_ms, std::string& scratch) {
    if (body.size() < overhead()) return {.reason = drop_reason::bad_ciphertext};
    const char* const nonce = body.data();
    switch (seen_.admit({read_big_endian(nonce), read_big_endian(nonce + 8), read_big_endian(nonce + 16)},
                        wall_ms)) {
    case replay_table::verdict::fresh: break;
    case replay_table::verdict::replayed: return {.reason = drop_reason::replayed};
    case replay_table::verdict::full: return {.reason = drop_reason::peers_full};
    }
    body.remove_prefix(nonce_octets);
    if (!encrypts()) return {.ok = true, .message = body};
    const std::size_t size = body.size() - tag_octets;
    if (scratch.size() < size) scratch.resize(size);
    unsigned long long written = 0;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(octets(scratch.data()), &written, nullptr,
                                                   octets(body.data()), body.size(), nullptr, 0,
                                                   octets(nonce), octets(key_)) != 0) {
        return {.reason = drop_reason::bad_ciphertext};
    }
    return {.ok = true, .message = std::string_view{scratch}.substr(0, size)};
}

}  // namespace mbus::protocol
