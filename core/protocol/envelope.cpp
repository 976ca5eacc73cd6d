#include "protocol/envelope.hpp"

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include <openssl/crypto.h>

#include <mbus/message.hpp>

#include "message/text.hpp"
#include "protocol/envelope_cipher.hpp"
#include "protocol/envelope_mac.hpp"
#include "protocol/envelope_modern.hpp"
#include "protocol/invariant.hpp"

namespace mbus::protocol {
namespace {

constexpr std::string_view protocol_prefix = "mbus/";  // RFC 3259, section 11.4, step 4
// Java MBus fills up to a multiple of eight, and adds eight when there is nothing to fill.
constexpr std::size_t legacy_nuls_max = 8;

bool belong_together(hash_algorithm hash, cipher_algorithm cipher) noexcept {
    const bool modern_hash = hash == hash_algorithm::hmac_sha256_128;
    if (cipher == cipher_algorithm::none) return true;
    return modern_hash == (cipher == cipher_algorithm::xchacha20_poly1305);
}

std::string_view without_nuls(std::string_view text) noexcept {
    const auto last = text.find_last_not_of('\0');
    return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::size_t rounded_up(std::size_t octets, std::size_t block) noexcept {
    return (octets + block - 1) / block * block;
}

// A MAC with zeros behind it, so that all lengths compare alike.
using whole_mac = std::array<std::byte, mac_octets_max + 2>;

// In constant time. OpenSSL has a short way for sixteen octets; the two behind them are zeros.
bool equal(const whole_mac& one, const whole_mac& other) noexcept {
    return CRYPTO_memcmp(one.data(), other.data(), mac_octets_max) == 0;
}

}  // namespace

struct envelope::implementation {
    std::unique_ptr<keyed_mac> mac;
    std::unique_ptr<block_cipher> cipher;  // RFC 3259 with encryption
    std::optional<modern_body> modern;
    bool legacy = false;
    std::size_t mac_characters = 0;

    [[nodiscard]] std::string_view line_end() const noexcept { return legacy ? "\n" : "\r\n"; }
    [[nodiscard]] std::size_t secured_octets(std::size_t message) const noexcept;
    void secure(std::string_view message, std::uint64_t wall_ms, char* out) noexcept;
    [[nodiscard]] std::size_t line_octets(std::string_view datagram) const noexcept;
    bool authentic(std::string_view secured, const whole_mac& claimed) noexcept;
    opened clear(std::string_view secured, std::uint64_t wall_ms, std::string& scratch);
    opened decrypt(std::string_view secured, std::string& scratch);
};

envelope::envelope(std::unique_ptr<implementation> parts) noexcept : parts_(std::move(parts)) {}
envelope::envelope(envelope&&) noexcept = default;
envelope& envelope::operator=(envelope&&) noexcept = default;
envelope::~envelope() = default;

result<envelope> envelope::create(const session_config& config, const envelope_options& options) {
    if (config.hash_key.empty()) {
        return {errc::bad_config, "the hash key is empty; make a session file with: mbus key new"};
    }
    if (!belong_together(config.hash, config.cipher)) {
        return {errc::bad_config, "hash " + std::string{to_string(config.hash)} + " and encryption " +
                                      std::string{to_string(config.cipher)} +
                                      " belong to different profiles; use HMAC-SHA1-96 with AES, or "
                                      "HMAC-SHA256-128 with XCHACHA20-POLY1305"};
    }
    auto parts = std::make_unique<implementation>();
    parts->mac = make_keyed_mac(config.hash, config.hash_key.octets());
    parts->mac_characters = text::base64_characters(parts->mac->octets());
    if (config.hash == hash_algorithm::hmac_sha256_128) {
        if (config.cipher != cipher_algorithm::none &&
            config.cipher_key.octets().size() != native_key_octets(config.cipher)) {
            return {errc::bad_config, "the key of XCHACHA20-POLY1305 must have 32 octets; make a new one "
                                      "with: mbus key new"};
        }
        parts->modern.emplace(config, options.sender_id);
    } else {
        parts->legacy = options.legacy;
        if (config.cipher != cipher_algorithm::none) {
            auto cipher = make_block_cipher(config.cipher, config.cipher_key.octets());
            if (!cipher) return std::move(cipher).error();
            parts->cipher = std::move(*cipher);
        }
    }
    return envelope{std::move(parts)};
}

// --- sealing: RFC 3259, section 11.4, sender ---------------------------------------------------

std::size_t envelope::implementation::secured_octets(std::size_t message) const noexcept {
    if (modern) return message + modern->overhead();
    return cipher ? rounded_up(message, cipher->block_octets()) : message;
}

void envelope::implementation::secure(std::string_view message, std::uint64_t wall_ms, char* out) noexcept {
    if (modern) {
        modern->seal(message, wall_ms, out);
        return;
    }
    message.copy(out, message.size());
    if (!cipher) return;
    const std::size_t padded = secured_octets(message.size());
    std::memset(out + message.size(), 0, padded - message.size());
    cipher->encrypt(out, out, padded);
}

void envelope::seal(std::string_view message, std::uint64_t wall_ms, std::string& datagram) {
    invariant(message.size() <= datagram_octets_max);
    const std::string_view line_end = parts_->line_end();
    const std::size_t start = datagram.size();
    const std::size_t secured_at = start + parts_->mac_characters + line_end.size();
    datagram.resize(secured_at + parts_->secured_octets(message.size()));
    parts_->secure(message, wall_ms, datagram.data() + secured_at);

    std::array<std::byte, mac_octets_max> digest;
    parts_->mac->compute(std::string_view{datagram}.substr(secured_at), digest.data());
    text::encode_base64({digest.data(), parts_->mac->octets()}, datagram.data() + start);
    line_end.copy(datagram.data() + start + parts_->mac_characters, line_end.size());
}

std::size_t envelope::message_octets_max(std::size_t datagram_octets) const noexcept {
    const std::size_t before = parts_->mac_characters + parts_->line_end().size();
    if (datagram_octets <= before) return 0;
    const std::size_t secured = datagram_octets - before;
    if (parts_->modern)
        return secured > parts_->modern->overhead() ? secured - parts_->modern->overhead() : 0;
    return parts_->cipher ? secured / parts_->cipher->block_octets() * parts_->cipher->block_octets()
                          : secured;
}

bool envelope::reseal_needed() const noexcept { return parts_->modern.has_value(); }

// --- opening: RFC 3259, section 11.4, receiver -------------------------------------------------

// Octets of the MAC line with its end, 0 when there is no such line. CRLF or LF: the octet after the MAC
// tells, and no other reading exists (trap S4). The modern profile has one form only.
std::size_t envelope::implementation::line_octets(std::string_view datagram) const noexcept {
    const std::string_view end = datagram.substr(mac_characters, 2);
    if (end == "\r\n") return mac_characters + 2;
    return end.starts_with('\n') && !modern ? mac_characters + 1 : 0;
}

bool envelope::implementation::authentic(std::string_view secured, const whole_mac& claimed) noexcept {
    whole_mac digest{};
    mac->compute(secured, digest.data());
    if (equal(digest, claimed)) return true;
    if (!legacy || cipher) return false;
    // Java MBus adds its NULs after the MAC was made.
    const std::string_view shorter = without_nuls(secured);
    const std::size_t nuls = secured.size() - shorter.size();
    if (nuls == 0 || nuls > legacy_nuls_max) return false;
    mac->compute(shorter, digest.data());
    return equal(digest, claimed);
}

envelope::opened envelope::implementation::decrypt(std::string_view secured, std::string& scratch) {
    if (secured.empty() || secured.size() % cipher->block_octets() != 0) {
        return {.reason = drop_reason::bad_ciphertext};
    }
    if (scratch.size() < secured.size()) scratch.resize(secured.size());
    cipher->decrypt(secured.data(), scratch.data(), secured.size());
    // Any number of zero octets, whole blocks too (trap C5).
    return {.ok = true, .message = without_nuls(std::string_view{scratch}.substr(0, secured.size()))};
}

envelope::opened envelope::implementation::clear(std::string_view secured, std::uint64_t wall_ms,
                                                 std::string& scratch) {
    if (modern) {
        const auto body = modern->open(secured, wall_ms, scratch);
        return {.ok = body.ok, .reason = body.reason, .message = body.message};
    }
    if (cipher) return decrypt(secured, scratch);
    return {.ok = true, .message = legacy ? without_nuls(secured) : secured};
}

envelope::opened envelope::open(std::string_view datagram, std::uint64_t wall_ms, std::string& scratch) {
    if (datagram.size() <= parts_->mac_characters) return {.reason = drop_reason::too_short};
    const std::size_t line = parts_->line_octets(datagram);
    whole_mac claimed{};  // room for what any text decodes to, padding or not
    const auto decoded =
        line == 0 ? std::nullopt : text::decode_base64_strictly(datagram.substr(0, parts_->mac_characters), claimed.data());
    if (decoded != parts_->mac->octets()) return {.reason = drop_reason::bad_mac_line};

    const std::string_view secured = datagram.substr(line);
    if (!parts_->authentic(secured, claimed)) return {.reason = drop_reason::bad_mac};
    opened what = parts_->clear(secured, wall_ms, scratch);
    // The RFC asks for this test where it decrypts; it is made always (trap C6).
    if (what.ok && !what.message.starts_with(protocol_prefix)) return {.reason = drop_reason::not_mbus};
    return what;
}

}  // namespace mbus::protocol
