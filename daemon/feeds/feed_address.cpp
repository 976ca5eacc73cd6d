#include "feeds/feed_address.hpp"

#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "message/text.hpp"

namespace mbusd {
namespace {

constexpr std::size_t hash_octets = 17;  // '~' and 16 digits

std::uint64_t fnv1a(std::string_view text) noexcept {
    std::uint64_t out = 0xCBF29CE484222325;
    for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    return out;
}

}  // namespace

std::string feed_value(std::string_view node) {
    std::string out;
    for (const char c : node) {
        if (mbus::text::has(c, mbus::text::is_address_octet) && c != '%') out += c;
        else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    if (out.size() <= mbus::address_value_octets_max) return out;
    out.resize(mbus::address_value_octets_max - hash_octets);
    return out + fmt::format("~{:016x}", fnv1a(node));
}

mbus::address feed_address(std::string_view node) {
    const auto value = feed_value(node);
    const std::array<mbus::address_element, 1> elements{{{"feed", value}}};
    return mbus::address::from_elements(elements).value();
}

std::string jid_local_part(std::string_view name) {
    constexpr std::string_view escaped = " \"&'/:<>@\\";
    std::string out;
    for (const char c : name) {
        if (escaped.find(c) != std::string_view::npos) out += fmt::format("\\{:02x}", static_cast<unsigned char>(c));
        else out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

}  // namespace mbusd
