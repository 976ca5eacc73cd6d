// Base64 as Mbus writes MACs and keys (RFC 3259, section 2): the standard alphabet, always padded,
// no white space, and no stray bits, so that one text stands for one octet string.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace mbus::protocol {

// Characters that encode `octets`: a multiple of four.
[[nodiscard]] constexpr std::size_t base64_characters(std::size_t octets) noexcept {
    return (octets + 2) / 3 * 4;
}

// Writes base64_characters(octets.size()) characters to `out`.
void base64_encode(std::span<const std::byte> octets, char* out) noexcept;

// Decodes into `out`, which has room for text.size() / 4 * 3 octets. Returns how many there are;
// nothing for an empty text or one outside the grammar.
[[nodiscard]] std::optional<std::size_t> base64_decode(std::string_view text, std::byte* out) noexcept;

}  // namespace mbus::protocol
