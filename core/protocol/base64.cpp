#include "protocol/base64.hpp"

#include <array>
#include <cstdint>

namespace mbus::protocol {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t outside = 0x8000'0000;  // survives every shift below

constexpr std::array<std::uint32_t, 256> values = [] {
    std::array<std::uint32_t, 256> table{};
    table.fill(outside);
    for (std::uint32_t at = 0; at < alphabet.size(); ++at) {
        table[static_cast<unsigned char>(alphabet[at])] = at;
    }
    return table;
}();

std::uint32_t value_of(char character) noexcept { return values[static_cast<unsigned char>(character)]; }

std::uint32_t number(std::byte octet) noexcept { return std::to_integer<std::uint32_t>(octet); }

}  // namespace

void base64_encode(std::span<const std::byte> octets, char* out) noexcept {
    while (octets.size() >= 3) {
        const std::uint32_t group = number(octets[0]) << 16U | number(octets[1]) << 8U | number(octets[2]);
        *out++ = alphabet[group >> 18U];
        *out++ = alphabet[group >> 12U & 63U];
        *out++ = alphabet[group >> 6U & 63U];
        *out++ = alphabet[group & 63U];
        octets = octets.subspan(3);
    }
    if (octets.empty()) return;
    const std::uint32_t second = octets.size() == 2 ? number(octets[1]) : 0;
    const std::uint32_t group = number(octets[0]) << 16U | second << 8U;
    *out++ = alphabet[group >> 18U];
    *out++ = alphabet[group >> 12U & 63U];
    *out++ = octets.size() == 2 ? alphabet[group >> 6U & 63U] : '=';
    *out++ = '=';
}

std::optional<std::size_t> base64_decode(std::string_view text, std::byte* out) noexcept {
    if (text.empty() || text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    if (text.back() == '=') padding = text[text.size() - 2] == '=' ? 2 : 1;
    const std::byte* const begin = out;
    for (std::size_t at = 0; at < text.size(); at += 4) {
        const bool last = at + 4 == text.size();
        const std::uint32_t a = value_of(text[at]);
        const std::uint32_t b = value_of(text[at + 1]);
        const std::uint32_t c = last && padding == 2 ? 0 : value_of(text[at + 2]);
        const std::uint32_t d = last && padding >= 1 ? 0 : value_of(text[at + 3]);
        if (((a | b | c | d) & outside) != 0) return std::nullopt;
        const std::uint32_t group = a << 18U | b << 12U | c << 6U | d;
        *out++ = static_cast<std::byte>(group >> 16U);
        if (!last || padding < 2) *out++ = static_cast<std::byte>(group >> 8U & 0xFFU);
        if (!last || padding < 1) *out++ = static_cast<std::byte>(group & 0xFFU);
        const std::uint32_t stray = padding == 2 ? group & 0xFFFFU : padding == 1 ? group & 0xFFU : 0;
        if (last && stray != 0) return std::nullopt;
    }
    return static_cast<std::size_t>(out - begin);
}

}  // namespace mbus::protocol
