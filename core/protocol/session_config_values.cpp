// What stands behind the '=' of each entry (RFC 3259, section 12.1; traps C3, C4, C11). Texts of errors
// show of a value only what fits the grammar of its entry: anything else could be a key.
#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

#include <sodium.h>

#include "message/text.hpp"
#include "protocol/session_config_parser.hpp"
#include "protocol/session_config_text.hpp"

namespace mbus::protocol::session_file {
namespace {

constexpr std::array hashes{hash_algorithm::hmac_md5_96, hash_algorithm::hmac_sha1_96,
                            hash_algorithm::hmac_sha256_128};
constexpr std::array ciphers{cipher_algorithm::none, cipher_algorithm::aes,
                             cipher_algorithm::des,  cipher_algorithm::triple_des,
                             cipher_algorithm::idea, cipher_algorithm::xchacha20_poly1305};

}  // namespace

parser::status parser::value(std::size_t which, std::string_view text) {
    switch (which) {
    case version_entry: return version(text);
    case hash_key_entry: return hash_key(text);
    case encryption_key_entry: return encryption_key(text);
    case scope_entry: return scope_value(text);
    case address_entry: return address(text);
    default: return port(text);
    }
}

parser::status parser::version(std::string_view text) {
    const auto found = number(text, 10);
    if (found == 1U) return {};
    // Zero and later versions are refused: their entries may mean something else (trap F7).
    return bad("CONFIG_VERSION=1", shown(text, "0123456789", 10),
               "write 1, or use the program that wrote this file");
}

// '(' algorithm ',' key ')'. The parts are looked at later; only the frame is checked here.
parser::status parser::key_parts(std::string_view text, std::string_view& algorithm,
                                 std::string_view& encoded, bool& comma) const {
    if (!text.starts_with('(')) return bad("(ALGORITHM,KEY)", "no '('", new_file);
    const auto close = text.find(')');
    if (close == std::string_view::npos) return bad("')' after the key", "the end of the line", new_file);
    if (close + 1 != text.size()) {  // trap F3: one entry a line
        return bad("the end of the line after ')'", "more text", "put each entry on a line of its own");
    }
    const std::string_view inside = text.substr(1, close - 1);
    const auto separator = inside.find(',');
    comma = separator != std::string_view::npos;
    algorithm = inside.substr(0, separator);
    encoded = comma ? inside.substr(separator + 1) : std::string_view{};
    if (!options_.strict) {
        algorithm = trimmed(algorithm);
        encoded = trimmed(encoded);
    }
    return {};
}

result<secret> parser::key_octets(std::string_view encoded) const {
    std::string octets(encoded.size(), '\0');
    auto* const buffer = reinterpret_cast<std::byte*>(octets.data());
    const auto size = text::decode_base64_strictly(encoded, buffer);
    secret key = size ? secret{std::span<const std::byte>{buffer, *size}} : secret{};
    sodium_memzero(octets.data(), octets.size());
    if (!size) {
        return bad("a key in Base64 with all its '=' (length a multiple of 4)",
                   encoded.empty() ? "no key" : "text that is not", new_file);
    }
    return key;
}

parser::status parser::hash_key(std::string_view text) {
    std::string_view algorithm;
    std::string_view encoded;
    bool comma = false;
    if (auto parts = key_parts(text, algorithm, encoded, comma); !parts) return parts;
    const auto* const which =
        std::find_if(hashes.begin(), hashes.end(), [&](auto known) { return to_string(known) == algorithm; });
    if (which == hashes.end()) {  // trap C11: authentication can't be off
        const bool cipher = std::any_of(ciphers.begin(), ciphers.end(),
                                        [&](auto known) { return to_string(known) == algorithm; });
        return bad("HMAC-SHA1-96, HMAC-MD5-96 or HMAC-SHA256-128",
                   cipher ? "the encryption algorithm " + std::string{algorithm}
                          : std::string{"another algorithm"},
                   "write for instance HASHKEY=(HMAC-SHA1-96,KEY)");
    }
    config_.hash = *which;
    auto key = key_octets(encoded);
    if (!key) return std::move(key).error();
    const std::size_t octets = key->octets().size();
    const std::size_t native = native_key_octets(*which);
    if (octets < native) {
        const auto expected =
            "a key of at least " + std::to_string(native) + " octets for " + std::string{algorithm};
        if (!options_.allow_short_hash_key)
            return bad(expected, std::to_string(octets),
                       std::string{new_file} + ", or, to talk with programs of before RFC 3259, set "
                                               "bus.allow_short_keys = true or bus.compat = \"legacy\" in mbusd.toml");
        warn(expected + " is what RFC 3259 demands, this one has " + std::to_string(octets) +
             "; use it only with programs that can't take a longer one");
    }
    config_.hash_key = std::move(*key);
    return {};
}

parser::status parser::encryption_key(std::string_view text) {
    std::string_view algorithm;
    std::string_view encoded;
    bool comma = false;
    if (auto parts = key_parts(text, algorithm, encoded, comma); !parts) return parts;
    const auto* const which = std::find_if(ciphers.begin(), ciphers.end(),
                                           [&](auto known) { return to_string(known) == algorithm; });
    if (which == ciphers.end()) {
        const bool hash = std::any_of(hashes.begin(), hashes.end(),
                                      [&](auto known) { return to_string(known) == algorithm; });
        return bad("NOENCR, AES, DES, 3DES, IDEA or XCHACHA20-POLY1305",
                   hash ? "the hash algorithm " + std::string{algorithm} : std::string{"another algorithm"},
                   "write for instance ENCRYPTIONKEY=(AES,KEY) or ENCRYPTIONKEY=(NOENCR,)");
    }
    config_.cipher = *which;
    if (*which == cipher_algorithm::none) {  // what stands behind it is ignored; trap F4
        if (comma || !options_.strict) return {};
        return bad("(NOENCR,)", "no comma", "add the comma");
    }
    auto key = key_octets(encoded);
    if (!key) return std::move(key).error();
    const std::size_t octets = key->octets().size();
    const std::size_t native = native_key_octets(*which);
    if (octets != native) {  // longer is an error too: cutting it would hide a mistake (trap C3)
        return bad("a key of exactly " + std::to_string(native) + " octets for " + std::string{algorithm},
                   std::to_string(octets), new_file);
    }
    config_.cipher_key = std::move(*key);
    return {};
}

parser::status parser::scope_value(std::string_view text) {
    for (const auto which : {scope::host_local, scope::link_local}) {
        if (text == to_string(which)) {
            config_.scope = which;
            return {};
        }
    }
    return bad("HOSTLOCAL or LINKLOCAL",
               is_plain_word(text) ? "'" + std::string{text} + "'" : shown(text, "", 0),
               "write SCOPE=HOSTLOCAL for this host only, SCOPE=LINKLOCAL for the link");
}

parser::status parser::address(std::string_view text) {
    if (text == "BROADCAST") {
        config_.broadcast = true;
        return {};
    }
    group_ = parse_ip_address(text);
    if (!group_ || !group_->is_multicast()) {
        return bad("a multicast address or BROADCAST",
                   shown(text, "0123456789abcdefABCDEF.:", 45),  // the longest IPv6 address
                   "write ADDRESS=239.255.255.247, or remove the line");
    }
    if (text != default_group_v4) config_.group = std::string{text};
    return {};
}

parser::status parser::port(std::string_view text) {
    const auto found = number(text, 5);
    if (!found || *found == 0 || *found > 65535) {  // trap F9
        return bad("a port from 1 to 65535", shown(text, "0123456789", 10),
                   "write PORT=47000, or remove the line");
    }
    config_.port = static_cast<std::uint16_t>(*found);
    return {};
}

}  // namespace mbus::protocol::session_file
