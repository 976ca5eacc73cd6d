// Text for terminals. What comes from the bus is somebody else's: no control character of it
// reaches a terminal as such.
//
// Thread-safety: pure functions (local_time reads the time zone).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace mbus::tools {

// `text` with control characters (C0, DEL, C1) and octets that are not UTF-8 written as \xNN.
[[nodiscard]] std::string printable(std::string_view text);

// "21:14:24.123" in the local time zone
[[nodiscard]] std::string local_time(std::chrono::system_clock::time_point when);

// "s" unless `count` is 1
[[nodiscard]] constexpr std::string_view plural(std::uint64_t count) noexcept { return count == 1 ? "" : "s"; }

}  // namespace mbus::tools
