// The lines, sections and entries of a `.mbus` file (RFC 3259, section 12.1; traps F1 to F10). Texts of
// errors and warnings never repeat what could be a key.
#include "protocol/session_config_parser.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "message/nearest.hpp"
#include "message/text.hpp"
#include "protocol/session_config_text.hpp"

namespace mbus::protocol {
namespace session_file {
namespace {

constexpr std::array<std::string_view, 5> foreign_names{"SEND_UNICAST", "INTERFACE", "TIMER_R", "RETRIES",
                                                        "PRESENCE"};

}  // namespace

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
        line_ = lines_[encryption_key_entry];
        return bad("an encryption that goes with " + std::string{to_string(config_.hash)},
                   std::string{to_string(config_.cipher)},
                   "use HMAC-SHA1-96 with AES, or HMAC-SHA256-128 with XCHACHA20-POLY1305");
    }
    if (lines_[scope_entry] == 0)
        warn("no SCOPE: HOSTLOCAL is assumed; add the line SCOPE=HOSTLOCAL or SCOPE=LINKLOCAL");
    if (group_ && group_->family == ip_family::v6) {  // trap T9
        line_ = lines_[address_entry];
        const unsigned natural = config_.scope == scope::host_local ? 1 : 2;
        if (group_->multicast_scope() != natural) {
            warn("the group's own scope differs from SCOPE=" + std::string{to_string(config_.scope)} +
                 "; the group is used, SCOPE sets the hop limit; natural is " +
                 std::string{natural == 1 ? default_group_v6_host : default_group_v6_link});
        }
    }
    return {};
}

}  // namespace session_file

result<session_config> parse_session_config(std::string_view text, const session_config_options& options) {
    return session_file::parser{text, options}.run();
}

}  // namespace mbus::protocol
