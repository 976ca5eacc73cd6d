// What the mapping asks of a text.
//
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace mbus::json {

// Where `text` can't be an Mbus string: ill-formed UTF-8, NUL or DEL (RFC 3259, section 5.3).
std::optional<std::size_t> unfit_octet(std::string_view text) noexcept;

}  // namespace mbus::json
