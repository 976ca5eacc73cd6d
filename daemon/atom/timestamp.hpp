// Dates as Atom writes them (RFC 4287, section 3.3): RFC 3339 with an upper-case T and Z.
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mbusd::atom {

// "2026-11-21T10:15:30.125Z"; without a fraction when it is zero.
[[nodiscard]] std::string date_text(std::uint64_t ms_since_1970);

// True for a date that exists; leap seconds and zones such as +02:00 included.
[[nodiscard]] bool is_date(std::string_view text) noexcept;

}  // namespace mbusd::atom
