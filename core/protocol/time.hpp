// Time as the engine sees it: always told, never read (docs/architecture.md).
#pragma once

#include <chrono>
#include <cstdint>

namespace mbus::protocol {

// Monotonic; for timers.
using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;
inline constexpr time_point never = time_point::max();

// One reading of both clocks, made once per turn by whoever owns them.
struct instant {
    time_point now;                    // monotonic
    std::uint64_t wall_ms = 0;         // milliseconds since 1970-01-01 00:00:00 UTC, for TimeStamp
};

}  // namespace mbus::protocol
