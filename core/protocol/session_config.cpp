#include "protocol/session_config.hpp"

#include "message/text.hpp"

namespace mbus::protocol {
namespace {

void append_key(std::string& text, std::string_view algorithm, const secret& key) {
    text += '(';
    text += algorithm;
    text += ',';  // always, also for NOENCR (section 12)
    text::append_base64(text, key.octets());
    text += ")\n";
}

}  // namespace

std::string_view to_string(scope which) noexcept {
    return which == scope::host_local ? "HOSTLOCAL" : "LINKLOCAL";
}

std::string_view to_string(hash_algorithm which) noexcept {
    switch (which) {
    case hash_algorithm::hmac_md5_96: return "HMAC-MD5-96";
    case hash_algorithm::hmac_sha1_96: return "HMAC-SHA1-96";
    case hash_algorithm::hmac_sha256_128: return "HMAC-SHA256-128";
    }
    return "unknown";
}

std::string_view to_string(cipher_algorithm which) noexcept {
    switch (which) {
    case cipher_algorithm::none: return "NOENCR";
    case cipher_algorithm::aes: return "AES";
    case cipher_algorithm::des: return "DES";
    case cipher_algorithm::triple_des: return "3DES";
    case cipher_algorithm::idea: return "IDEA";
    case cipher_algorithm::xchacha20_poly1305: return "XCHACHA20-POLY1305";
    }
    return "unknown";
}

std::size_t native_key_octets(hash_algorithm which) noexcept {
    switch (which) {  // the length of the hash (RFC 2104, section 3; trap C4)
    case hash_algorithm::hmac_md5_96: return 16;
    case hash_algorithm::hmac_sha1_96: return 20;
    case hash_algorithm::hmac_sha256_128: return 32;
    }
    return 0;
}

std::size_t native_key_octets(cipher_algorithm which) noexcept {
    switch (which) {
    case cipher_algorithm::none: return 0;
    case cipher_algorithm::aes: return 16;         // 128 bits only (section 11.2)
    case cipher_algorithm::des: return 8;          // 56 bits and parity
    case cipher_algorithm::triple_des: return 24;  // three keys (trap C2)
    case cipher_algorithm::idea: return 16;
    case cipher_algorithm::xchacha20_poly1305: return 32;
    }
    return 0;
}

std::string format_session_config(const session_config& config) {
    std::string text;
    // One allocation, so that no copy of a key stays behind in a freed one.
    text.reserve(512 + text::base64_characters(config.hash_key.octets().size()) +
                 text::base64_characters(config.cipher_key.octets().size()));
    text += "[MBUS]\nCONFIG_VERSION=1\nHASHKEY=";
    append_key(text, to_string(config.hash), config.hash_key);
    text += "ENCRYPTIONKEY=";
    append_key(text, to_string(config.cipher),
               config.cipher == cipher_algorithm::none ? secret{} : config.cipher_key);
    text += "SCOPE=";
    text += to_string(config.scope);
    text += "\nADDRESS=";
    text += config.broadcast ? "BROADCAST"
            : config.group   ? std::string_view{*config.group}
                             : default_group_v4;
    text += "\nPORT=" + std::to_string(config.port) + '\n';
    return text;
}

}  // namespace mbus::protocol
