// Durations as people write them: 5 (seconds), 0.5, 200ms, 5s, 2m, 1h.
//
// Thread-safety: pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mbus::tools {

inline constexpr std::chrono::hours duration_max{24 * 365};  // beyond it, a typing mistake

// Nothing for anything else, below 1 ms (but "0" is 0) and above duration_max.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// "200 ms", "1.5 s", "2 min"
[[nodiscard]] std::string format_duration(std::chrono::milliseconds time);

}  // namespace mbus::tools
