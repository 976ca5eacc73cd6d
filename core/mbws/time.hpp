// Time as the sessions see it: always told, never read.
#pragma once

#include <chrono>

namespace mbus::mbws {

// Monotonic.
using time_point = std::chrono::steady_clock::time_point;
inline constexpr time_point never = time_point::max();

}  // namespace mbus::mbws
