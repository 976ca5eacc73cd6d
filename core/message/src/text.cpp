#include "message/text.hpp"

namespace mbus::text {
namespace {

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t not_base64 = 0x8000'0000;  // apart from all values

constexpr std::array<std::uint32_t, 256> base64_values = [] {
    std::array<std::uint32_t, 256> table{};
    table.fill(not_base64);
    for (std::uint32_t index = 0; index < base64_alphabet.size(); ++index)
        table[static_cast<unsigned char>(base64_alphabet[index])] = index;
    return table;
}();

std::uint32_t base64_value(char character) noexcept { return base64_values[static_cast<unsigned char>(character)]; }

char base64_character(std::uint32_t six_bits) noexcept { return base64_alphabet[six_bits & 63U]; }

template <bool Controls>
bool check_utf8(std::string_view text) noexcept {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        if (end - at >= 8 && (unprintable(load_eight(at)) & octet_tops) == 0) {  // the bulk of all text
            at += 8;
            continue;
        }
        if (!Controls && (static_cast<unsigned char>(*at) < 0x20 || *at == 0x7f)) return false;
        const auto length = utf8_sequence(at, end);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept { return check_utf8<true>(text); }

bool is_utf8_without_controls(std::string_view text) noexcept { return check_utf8<false>(text); }

void encode_base64(std::span<const std::byte> octets, char* out) noexcept {
    const auto number = [](std::byte octet) { return std::to_integer<std::uint32_t>(octet); };
    while (octets.size() >= 3) {
        const std::uint32_t group = number(octets[0]) << 16U | number(octets[1]) << 8U | number(octets[2]);
        *out++ = base64_character(group >> 18U);
        *out++ = base64_character(group >> 12U);
        *out++ = base64_character(group >> 6U);
        *out++ = base64_character(group);
        octets = octets.subspan(3);
    }
    if (octets.empty()) return;
    const std::uint32_t second = octets.size() == 2 ? number(octets[1]) : 0;
    const std::uint32_t group = number(octets[0]) << 16U | second << 8U;
    *out++ = base64_character(group >> 18U);
    *out++ = base64_character(group >> 12U);
    *out++ = octets.size() == 2 ? base64_character(group >> 6U) : '=';
    *out++ = '=';
}

void append_base64(std::string& out, std::span<const std::byte> octets) {
    const std::size_t start = out.size();
    out.resize(start + base64_characters(octets.size()));
    encode_base64(octets, out.data() + start);
}

std::size_t decode_base64(std::string_view encoded, std::vector<std::byte>* out) {
    if (out != nullptr) out->reserve(out->size() + encoded.size() / 4 * 3);
    const auto append = [out](std::uint32_t group, int octets) {
        if (out == nullptr) return;
        for (int index = 0; index < octets; ++index)
            out->push_back(static_cast<std::byte>(group >> (16 - 8 * index) & 0xffU));
    };
    std::size_t at = 0;
    for (; at + 4 <= encoded.size(); at += 4) {
        const std::uint32_t first = base64_value(encoded[at]);
        const std::uint32_t second = base64_value(encoded[at + 1]);
        if (((first | second) & not_base64) != 0) return at;
        const std::uint32_t front = first << 18U | second << 12U;
        const bool padded = encoded[at + 3] == '=';
        if (padded && encoded[at + 2] == '=') {
            append(front, 1);
            continue;
        }
        const std::uint32_t third = base64_value(encoded[at + 2]);
        const std::uint32_t fourth = padded ? 0 : base64_value(encoded[at + 3]);
        if (((third | fourth) & not_base64) != 0) return at + 2;
        append(front | third << 6U | fourth, padded ? 2 : 3);
    }
    return at;
}

std::optional<std::size_t> decode_base64_strictly(std::string_view encoded, std::byte* out) noexcept {
    if (encoded.empty() || encoded.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    if (encoded.back() == '=') padding = encoded[encoded.size() - 2] == '=' ? 2 : 1;
    const std::byte* const begin = out;
    for (std::size_t at = 0; at < encoded.size(); at += 4) {
        const bool last = at + 4 == encoded.size();
        const std::uint32_t a = base64_value(encoded[at]);
        const std::uint32_t b = base64_value(encoded[at + 1]);
        const std::uint32_t c = last && padding == 2 ? 0 : base64_value(encoded[at + 2]);
        const std::uint32_t d = last && padding >= 1 ? 0 : base64_value(encoded[at + 3]);
        if (((a | b | c | d) & not_base64) != 0) return std::nullopt;
        const std::uint32_t group = a << 18U | b << 12U | c << 6U | d;
        *out++ = static_cast<std::byte>(group >> 16U);
        if (!last || padding < 2) *out++ = static_cast<std::byte>(group >> 8U & 0xFFU);
        if (!last || padding < 1) *out++ = static_cast<std::byte>(group & 0xFFU);
        const std::uint32_t stray = padding == 2 ? group & 0xFFFFU : padding == 1 ? group & 0xFFU : 0;
        if (last && stray != 0) return std::nullopt;
    }
    return static_cast<std::size_t>(out - begin);
}

}  // namespace mbus::text
