// UTF-8, as far as the mapping needs it.
//
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace mbus::json {

// Octets of the character at `at`, 0 when it is ill-formed (RFC 3629).
std::size_t utf8_length(std::string_view text, std::size_t at) noexcept;

// Where `text` can't be an Mbus string: ill-formed UTF-8, NUL or DEL (RFC 3259, section 5.3).
std::optional<std::size_t> unfit_octet(std::string_view text) noexcept;

}  // namespace mbus::json
