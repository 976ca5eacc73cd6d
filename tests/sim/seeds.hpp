// The seeds of a simulation: fixed ones, so that a failure repeats, or the one of MBUS_SIM_SEED.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace mbus::lab {

inline std::vector<std::uint64_t> seeds(std::size_t count) {
    if (const char* const chosen = std::getenv("MBUS_SIM_SEED")) return {std::strtoull(chosen, nullptr, 10)};
    std::vector<std::uint64_t> out;
    for (std::size_t index = 0; index < count; ++index) out.push_back(1000 + 7919 * index);
    return out;
}

// Tells the seed of the run; a failure prints it again.
inline void announce(const char* what, std::uint64_t seed) {
    MESSAGE(std::string{what} << ": seed " << seed << " (repeat with MBUS_SIM_SEED=" << seed << ")");
}

}  // namespace mbus::lab
