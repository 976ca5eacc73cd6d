// Strings and numbers as JSON.
#include "text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <mbus_json/message_json.hpp>

namespace mbus::json {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

void append_escaped(std::string& out, char octet) {
    static constexpr char digits[] = "0123456789abcdef";
    switch (octet) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default: break;
    }
    const auto code = static_cast<unsigned char>(octet);
    out += "\\u00";
    out += digits[code >> 4U];
    out += digits[code & 15U];
}

bool continues(std::string_view text, std::size_t at, unsigned char low, unsigned char high) {
    if (at >= text.size()) return false;
    const auto octet = static_cast<unsigned char>(text[at]);
    return octet >= low && octet <= high;
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) noexcept {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) return 1;
    // RFC 3629, section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
    if (lead >= 0xC2 && lead <= 0xDF) return continues(text, at + 1, 0x80, 0xBF) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned char low = lead == 0xE0 ? 0xA0 : 0x80;
        const unsigned char high = lead == 0xED ? 0x9F : 0xBF;
        return continues(text, at + 1, low, high) && continues(text, at + 2, 0x80, 0xBF) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned char low = lead == 0xF0 ? 0x90 : 0x80;
        const unsigned char high = lead == 0xF4 ? 0x8F : 0xBF;
        return continues(text, at + 1, low, high) && continues(text, at + 2, 0x80, 0xBF) &&
                       continues(text, at + 3, 0x80, 0xBF)
                   ? 4
                   : 0;
    }
    return 0;
}

std::optional<std::size_t> unfit_octet(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const auto length = utf8_length(text, at);
        if (length == 0 || text[at] == '\0' || text[at] == '\x7F') return at;
        at += length;
    }
    return std::nullopt;
}

void append_string(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const auto length = utf8_length(text, at);
        const char octet = text[at];
        if (length == 0) {
            out += replacement;
            ++at;
            continue;
        }
        if (length == 1 && (static_cast<unsigned char>(octet) < 0x20 || octet == '"' || octet == '\\' || octet == '\x7F')) {
            append_escaped(out, octet);
        } else {
            out.append(text, at, length);
        }
        at += length;
    }
    out += '"';
}

void append_number(std::string& out, double number) {
    if (!std::isfinite(number)) {
        out += "null";
        return;
    }
    // The longest double without exponent: sign, "0.", 323 zeros and 17 digits; 512 is safe.
    std::array<char, 512> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed);
    const std::string_view text{digits.data(), static_cast<std::size_t>(written.ptr - digits.data())};
    out += text;
    if (text.find('.') == std::string_view::npos) out += ".0";
}

}  // namespace mbus::json
