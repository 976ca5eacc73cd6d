// What the measurements of the driver share: looking at the counters of a run.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "harness/shared_run.hpp"

namespace bench {

// Deliveries of the first `readers` subscribers together.
[[nodiscard]] std::uint64_t delivered_in(const run_state& run, std::size_t readers);
// The same once no delivery came for `still`.
std::uint64_t settled(const run_state& run, std::size_t readers, std::chrono::milliseconds still);

}  // namespace bench
