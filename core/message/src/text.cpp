#include "text.hpp"

namespace mbus::text {
namespace {

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t not_base64 = 0xff;

constexpr std::array<std::uint8_t, 256> base64_values = [] {
    std::array<std::uint8_t, 256> table{};
    for (auto& entry : table) entry = not_base64;
    for (std::size_t index = 0; index < base64_alphabet.size(); ++index)
        table[static_cast<unsigned char>(base64_alphabet[index])] = static_cast<std::uint8_t>(index);
    return table;
}();

std::uint8_t base64_value(char character) noexcept {
    return base64_values[static_cast<unsigned char>(character)];
}

bool continues(const char* at, unsigned low = 0x80, unsigned high = 0xbf) noexcept {
    const auto octet = static_cast<unsigned char>(*at);
    return octet >= low && octet <= high;
}

}  // namespace

std::size_t utf8_sequence(const char* at, const char* end) noexcept {
    const auto left = end - at;
    if (left < 1) return 0;
    const auto lead = static_cast<unsigned char>(*at);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return left >= 2 && continues(at + 1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;    // no overlong form
        const unsigned high = lead == 0xed ? 0x9f : 0xbf;   // no surrogate
        return left >= 3 && continues(at + 1, low, high) && continues(at + 2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;   // at most U+10FFFF
        return left >= 4 && continues(at + 1, low, high) && continues(at + 2) && continues(at + 3) ? 4 : 0;
    }
    return 0;
}

bool is_utf8(std::string_view text) noexcept {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const auto length = utf8_sequence(at, end);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

void append_base64(std::string& out, std::string_view octets) {
    const auto octet = [&](std::size_t index) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(octets[index]));
    };
    const auto character = [](std::uint32_t six_bits) { return base64_alphabet[six_bits & 63]; };
    out.reserve(out.size() + (octets.size() + 2) / 3 * 4);
    std::size_t at = 0;
    for (; at + 3 <= octets.size(); at += 3) {
        const auto bits = octet(at) << 16 | octet(at + 1) << 8 | octet(at + 2);
        const char unit[] = {character(bits >> 18), character(bits >> 12), character(bits >> 6), character(bits)};
        out.append(unit, sizeof unit);
    }
    if (octets.size() - at == 1) {
        const auto bits = octet(at) << 16;
        const char unit[] = {character(bits >> 18), character(bits >> 12), '=', '='};
        out.append(unit, sizeof unit);
    } else if (octets.size() - at == 2) {
        const auto bits = octet(at) << 16 | octet(at + 1) << 8;
        const char unit[] = {character(bits >> 18), character(bits >> 12), character(bits >> 6), '='};
        out.append(unit, sizeof unit);
    }
}

std::size_t decode_base64(std::string_view encoded, std::vector<std::byte>* out) {
    if (out != nullptr) out->reserve(out->size() + encoded.size() / 4 * 3);
    const auto append = [out](std::uint32_t bits, int octets) {
        if (out == nullptr) return;
        for (int index = 0; index < octets; ++index)
            out->push_back(static_cast<std::byte>(bits >> (16 - 8 * index) & 0xff));
    };
    std::size_t at = 0;
    for (; at + 4 <= encoded.size(); at += 4) {
        const auto first = base64_value(encoded[at]);
        const auto second = base64_value(encoded[at + 1]);
        if (first == not_base64 || second == not_base64) return at;
        std::uint32_t bits = std::uint32_t{first} << 18 | std::uint32_t{second} << 12;
        if (encoded[at + 3] == '=') {
            if (encoded[at + 2] == '=') {
                append(bits, 1);
                continue;
            }
            const auto third = base64_value(encoded[at + 2]);
            if (third == not_base64) return at + 2;
            append(bits | std::uint32_t{third} << 6, 2);
            continue;
        }
        const auto third = base64_value(encoded[at + 2]);
        const auto fourth = base64_value(encoded[at + 3]);
        if (third == not_base64 || fourth == not_base64) return at + 2;
        append(bits | std::uint32_t{third} << 6 | fourth, 3);
    }
    return at;
}

}  // namespace mbus::text
