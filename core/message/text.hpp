// What text is made of, for every reader and writer of the project: the octet classes of RFC 3259
// (section 2), UTF-8 and Base64. No part of libmbus's interface: what stands here as a definition
// may be used by programs that link libmbus, what is only declared needs mbus_message.
//
// Thread-safety: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mbus::text {

enum octet_class : std::uint8_t {
    is_letter = 1,        // ALPHA
    is_digit = 2,         // DIGIT
    is_symbol_octet = 4,  // ALPHA, DIGIT, '_', '-', '.'
    is_blank = 8,         // WSP: SP, HTAB
    is_address_octet = 16,  // 21-27, 2A-7E: the octets of an address value
    is_plain = 32,        // in a string: 01-7E but '"', '\' and LF
    is_base64 = 64,       // the alphabet of Base64, and '='
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
        if (letter || digit || octet == '+' || octet == '/' || octet == '=') bits |= is_base64;
        table[octet] = bits;
    }
    return table;
}();

[[nodiscard]] constexpr bool has(char octet, unsigned bits) noexcept {
    return (octet_classes[static_cast<unsigned char>(octet)] & bits) != 0;
}

// --- eight octets at a time ----------------------------------------------------------------------
// The answers below hold in the top bit of each octet, and only "none of the eight" is exact: a
// carry may set a bit above an octet that is meant. What stops the fast way is looked at singly.

inline constexpr std::uint64_t octet_ones = 0x0101010101010101;
inline constexpr std::uint64_t octet_tops = 0x8080808080808080;

[[nodiscard]] inline std::uint64_t load_eight(const char* at) noexcept {
    std::uint64_t octets = 0;
    std::memcpy(&octets, at, sizeof octets);
    return octets;
}

// Octets outside 20..7E: a control character, DEL (7F + 1 is 80), or no ASCII.
[[nodiscard]] constexpr std::uint64_t unprintable(std::uint64_t octets) noexcept {
    return ((octets - octet_ones * 0x20) & ~octets) | (octets + octet_ones) | octets;
}

[[nodiscard]] constexpr std::uint64_t equal(std::uint64_t octets, char which) noexcept {
    const std::uint64_t zeroed = octets ^ octet_ones * static_cast<unsigned char>(which);
    return (zeroed - octet_ones) & ~zeroed;
}

// --- UTF-8 ---------------------------------------------------------------------------------------

// Octets of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 when ill-formed: no
// overlong form, no surrogate, nothing above U+10FFFF.
[[nodiscard]] constexpr std::size_t utf8_sequence(const char* at, const char* end) noexcept {
    const auto continues = [at](int index, unsigned low, unsigned high) {
        const auto octet = static_cast<unsigned char>(at[index]);
        return octet >= low && octet <= high;
    };
    const auto left = end - at;
    if (left < 1) return 0;
    const auto lead = static_cast<unsigned char>(*at);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return left >= 2 && continues(1, 0x80, 0xbf) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
        const unsigned high = lead == 0xed ? 0x9f : 0xbf;
        return left >= 3 && continues(1, low, high) && continues(2, 0x80, 0xbf) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
        const bool good = left >= 4 && continues(1, low, high) && continues(2, 0x80, 0xbf) && continues(3, 0x80, 0xbf);
        return good ? 4 : 0;
    }
    return 0;
}

[[nodiscard]] constexpr std::size_t utf8_sequence(std::string_view text, std::size_t at) noexcept {
    return utf8_sequence(text.data() + at, text.data() + text.size());
}

// Well-formed from the first octet to the last; control characters, NUL too, are characters.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// UTF-8 without an octet below 20 or 7F.
[[nodiscard]] bool is_utf8_without_controls(std::string_view text) noexcept;

// --- Base64: the standard alphabet, padded, in one run -------------------------------------------

// Characters that encode `octets`: a multiple of four.
[[nodiscard]] constexpr std::size_t base64_characters(std::size_t octets) noexcept { return (octets + 2) / 3 * 4; }

// Writes base64_characters(octets.size()) characters to `out`.
void encode_base64(std::span<const std::byte> octets, char* out) noexcept;

void append_base64(std::string& out, std::span<const std::byte> octets);

// For data of messages: complete units of four characters, padding also between them, stray bits
// ignored (trap S11). Appends to `out` unless it is null. Returns how many characters were fine:
// all of them on success.
[[nodiscard]] std::size_t decode_base64(std::string_view encoded, std::vector<std::byte>* out);

// For MACs and keys: one text stands for one octet string, so padding stands at the end only and
// there are no stray bits. Decodes into `out`, which has room for encoded.size() / 4 * 3 octets.
// Returns how many there are; nothing for an empty text or one outside this grammar.
[[nodiscard]] std::optional<std::size_t> decode_base64_strictly(std::string_view encoded, std::byte* out) noexcept;

}  // namespace mbus::text
