// The octet classes of RFC 3259 (section 2), UTF-8 and Base64: what reader and writer share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/export.hpp>

namespace mbus::text {

enum octet_class : std::uint8_t {
    is_letter = 1,        // ALPHA
    is_digit = 2,         // DIGIT
    is_symbol_octet = 4,  // ALPHA, DIGIT, '_', '-', '.'
    is_blank = 8,         // WSP: SP, HTAB
    is_address_octet = 16,  // 21-27, 2A-7E: the octets of an address value
    is_plain = 32,        // in a string: 01-7E but '"', '\' and LF
};

inline constexpr std::array<std::uint8_t, 256> octet_classes = [] {
    std::array<std::uint8_t, 256> table{};
    for (unsigned octet = 0; octet < 256; ++octet) {
        std::uint8_t bits = 0;
        const bool letter = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
        const bool digit = octet >= '0' && octet <= '9';
        if (letter) bits |= is_letter;
        if (digit) bits |= is_digit;
        if (letter || digit || octet == '_' || octet == '-' || octet == '.') bits |= is_symbol_octet;
        if (octet == ' ' || octet == '\t') bits |= is_blank;
        if (octet >= 0x21 && octet <= 0x7e && octet != '(' && octet != ')') bits |= is_address_octet;
        if (octet >= 0x01 && octet <= 0x7e && octet != '"' && octet != '\\' && octet != '\n') bits |= is_plain;
        table[octet] = bits;
    }
    return table;
}();

[[nodiscard]] constexpr bool has(char octet, unsigned bits) noexcept {
    return (octet_classes[static_cast<unsigned char>(octet)] & bits) != 0;
}

// Octets of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 when ill-formed.
[[nodiscard]] std::size_t utf8_sequence(const char* at, const char* end) noexcept;

[[nodiscard]] MBUS_API bool is_utf8(std::string_view text) noexcept;

// Appends the Base64 form, padded, in one run.
MBUS_API void append_base64(std::string& out, std::string_view octets);

// Decodes complete units of four characters, padding also between them (trap S11); appends to
// `out` unless it is null. Returns how many characters were fine: all of them on success.
[[nodiscard]] MBUS_API std::size_t decode_base64(std::string_view encoded, std::vector<std::byte>* out);

}  // namespace mbus::text
