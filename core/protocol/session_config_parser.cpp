// Reads the text of a `.mbus` file (RFC 3259, section 12.1; traps F1 to F10 and C3, C4, C11). Texts of errors
// and warnings never repeat what could be a key: of values they show only what fits the grammar
// of the entry that they stand in.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <sodium.h>

#include "message/nearest.hpp"
#include "message/text.hpp"
#include "protocol/session_config.hpp"
#include "protocol/session_config_address.hpp"
#include "protocol/session_config_text.hpp"

namespace mbus::protocol {
namespace {

constexpr std::string_view new_file = "make a new file with: mbus key new";
constexpr std::size_t entry_names = 6;
constexpr std::array<std::string_view, entry_names> names{"CONFIG_VERSION", "HASHKEY", "ENCRYPTIONKEY",
                                                          "SCOPE",          "ADDRESS", "PORT"};
constexpr std::array<std::string_view, 5> foreign_names{"SEND_UNICAST", "INTERFACE", "TIMER_R", "RETRIES",
                                                        "PRESENCE"};
constexpr std::array hashes{hash_algorithm::hmac_md5_96, hash_algorithm::hmac_sha1_96,
                            hash_algorithm::hmac_sha256_128};
constexpr std::array ciphers{cipher_algorithm::none, cipher_algorithm::aes,
                             cipher_algorithm::des,  cipher_algorithm::triple_des,
                             cipher_algorithm::idea, cipher_algorithm::xchacha20_poly1305};

class parser {
public:
    parser(std::string_view text, const session_config_options& options) : rest_(text), options_(options) {}

    result<session_config> run();

private:
    using status = result<void>;

    [[nodiscard]] error bad(std::string_view expected, std::string_view found, std::string_view fix) const {
        return {errc::bad_config, "line " + std::to_string(line_) + ": expected " + std::string{expected} +
                                      ", found " + std::string{found} + "; " + std::string{fix}};
    }
    void warn(std::string text) {
        config_.warnings.push_back("line " + std::to_string(line_) + ": " + std::move(text));
    }

    status next_line();
    status line(std::string_view text);
    status entry(std::string_view text);
    status unknown(std::string_view name);
    status value(std::size_t which, std::string_view text);
    status version(std::string_view text);
    status hash_key(std::string_view text);
    status encryption_key(std::string_view text);
    status scope_value(std::string_view text);
    status address(std::string_view text);
    status port(std::string_view text);
    status key_parts(std::string_view text, std::string_view& algorithm, std::string_view& encoded,
                     bool& comma) const;
    result<secret> key_octets(std::string_view encoded) const;
    status finish();

    std::string_view rest_;
    const session_config_options& options_;
    session_config config_;
    std::size_t line_ = 0;
    std::string_view current_;
    bool in_section_ = false;
    bool section_seen_ = false;  // [MBUS]
    bool any_section_ = false;
    std::array<std::size_t, entry_names> lines_{};  // where each entry stands; 0 = absent
    std::optional<ip_address> group_;
};

result<session_config> parser::run() {
    if (rest_.size() > session_file_octets_max) {
        return {errc::bad_config, "line 1: expected at most " + std::to_string(session_file_octets_max) +
                                      " octets, found " + std::to_string(rest_.size()) + "; " +
                                      std::string{new_file}};
    }
    if (!options_.strict && rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);  // Windows editors
    while (!rest_.empty()) {
        if (auto read = next_line(); !read) return std::move(read).error();
        if (auto read = line(current_); !read) return std::move(read).error();
    }
    if (auto complete = finish(); !complete) return std::move(complete).error();
    return std::move(config_);
}

parser::status parser::next_line() {
    ++line_;
    const auto end = rest_.find('\n');
    current_ = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (!text::is_utf8(current_) || current_.find('\0') != std::string_view::npos)
        return bad("UTF-8 text", "octets that are not", "save the file as UTF-8");
    if (options_.strict) {
        if (end == std::string_view::npos)
            return bad("a line end (LF)", "the end of the file", "end the last line");
        if (current_.ends_with('\r'))
            return bad("a line end of LF", "CR LF", "save the file with Unix line ends");
    } else {
        if (current_.ends_with('\r')) current_.remove_suffix(1);
        current_ = trimmed(current_);
    }
    return {};
}

parser::status parser::line(std::string_view text) {
    const bool comment = text.starts_with('#') || text.starts_with(';');
    if (text.empty() || comment) {
        if (!options_.strict) return {};
        return bad("an entry", comment ? "a comment" : "an empty line", "remove the line");
    }
    if (text.starts_with('[')) {
        if (text == "[MBUS]" && section_seen_) return bad("one section [MBUS]", "a second one", "remove it");
        in_section_ = text == "[MBUS]";
        section_seen_ = section_seen_ || in_section_;
        any_section_ = true;
        if (!in_section_ && options_.strict) return bad("[MBUS] only", "another section", "remove it");
        return {};
    }
    if (in_section_) return entry(text);
    if (any_section_) return {};  // another program's
    return bad("[MBUS]", "other text before it", "put [MBUS] on the first line");
}

parser::status parser::entry(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) {
        if (options_.strict) return bad("NAME=VALUE", "a line without '='", "remove the line");
        warn("a line without '=' is skipped; if a value was wrapped, put it on one line");
        return {};
    }
    std::string_view name = text.substr(0, equals);
    std::string_view content = text.substr(equals + 1);
    if (!options_.strict) {
        name = trimmed(name);
        content = trimmed(content);
    }
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return unknown(name);
    const auto which = static_cast<std::size_t>(found - names.begin());
    if (lines_[which] != 0) {
        return bad(std::string{name} + " once",
                   "it again (first on line " + std::to_string(lines_[which]) + ")", "remove one of the two");
    }
    lines_[which] = line_;
    return value(which, content);
}

parser::status parser::unknown(std::string_view name) {
    if (options_.strict) {
        return bad("CONFIG_VERSION, HASHKEY, ENCRYPTIONKEY, SCOPE, ADDRESS or PORT", "another entry",
                   "remove the line");
    }
    if (std::find(foreign_names.begin(), foreign_names.end(), name) != foreign_names.end()) return {};
    if (!is_plain_word(name)) {
        warn("an unknown entry is skipped");
        return {};
    }
    const auto meant = text::nearest(name, names);
    warn("unknown entry " + std::string{name} + " is skipped" +
         (meant ? "; did you mean " + std::string{*meant} + "?" : std::string{}));
    return {};
}

parser::status parser::value(std::size_t which, std::string_view text) {
    switch (which) {
    case 0: return version(text);
    case 1: return hash_key(text);
    case 2: return encryption_key(text);
    case 3: return scope_value(text);
    case 4: return address(text);
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
        if (!options_.allow_short_hash_key) return bad(expected, std::to_string(octets), new_file);
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

parser::status parser::finish() {
    if (line_ == 0) line_ = 1;
    if (!section_seen_) return bad("[MBUS]", "the end of the file", "put [MBUS] on the first line");
    for (std::size_t which = 0; which < 3; ++which) {
        if (lines_[which] != 0) continue;
        constexpr std::array<std::string_view, 3> fixes{
            "add the line CONFIG_VERSION=1", new_file,
            "add the line ENCRYPTIONKEY=(NOENCR,) or make a key with: mbus key new"};
        return bad("an entry " + std::string{names[which]}, "the end of the file", fixes[which]);
    }
    const bool modern_cipher = config_.cipher == cipher_algorithm::xchacha20_poly1305;
    if (config_.cipher != cipher_algorithm::none &&
        modern_cipher != (config_.hash == hash_algorithm::hmac_sha256_128)) {
        line_ = lines_[2];
        return bad("an encryption that goes with " + std::string{to_string(config_.hash)},
                   std::string{to_string(config_.cipher)},
                   "use HMAC-SHA1-96 with AES, or HMAC-SHA256-128 with XCHACHA20-POLY1305");
    }
    if (lines_[3] == 0)
        warn("no SCOPE: HOSTLOCAL is assumed; add the line SCOPE=HOSTLOCAL or SCOPE=LINKLOCAL");
    if (group_ && group_->family == ip_family::v6) {  // trap T9
        line_ = lines_[4];
        const unsigned natural = config_.scope == scope::host_local ? 1 : 2;
        if (group_->multicast_scope() != natural) {
            warn("the group's own scope differs from SCOPE=" + std::string{to_string(config_.scope)} +
                 "; the group is used, SCOPE sets the hop limit; natural is " +
                 std::string{natural == 1 ? default_group_v6_host : default_group_v6_link});
        }
    }
    return {};
}

}  // namespace

result<session_config> parse_session_config(std::string_view text, const session_config_options& options) {
    return parser{text, options}.run();
}

}  // namespace mbus::protocol
