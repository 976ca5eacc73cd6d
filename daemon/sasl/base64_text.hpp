// Base64 between strings, strict: padding at the end only, no stray bits.
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "message/text.hpp"

namespace mbusd {

[[nodiscard]] inline std::string to_base64(std::string_view octets) {
    std::string out;
    mbus::text::append_base64(out, std::as_bytes(std::span{octets.data(), octets.size()}));
    return out;
}

// Nothing when it is no Base64; an empty text is an empty octet string.
[[nodiscard]] inline std::optional<std::string> from_base64(std::string_view text) {
    if (text.empty()) return std::string{};
    std::string out(text.size() / 4 * 3, '\0');
    const auto octets = mbus::text::decode_base64_strictly(text, reinterpret_cast<std::byte*>(out.data()));
    if (!octets) return std::nullopt;
    out.resize(*octets);
    return out;
}

}  // namespace mbusd
