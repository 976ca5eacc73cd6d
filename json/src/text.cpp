// Strings and numbers as JSON.
#include "text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <mbus_json/message_json.hpp>

#include "message/text.hpp"

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

}  // namespace

std::optional<std::size_t> unfit_octet(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const auto length = text::utf8_sequence(text, at);
        if (length == 0 || text[at] == '\0' || text[at] == '\x7F') return at;
        at += length;
    }
    return std::nullopt;
}

void append_string(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const auto length = text::utf8_sequence(text, at);
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
