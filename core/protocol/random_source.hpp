// Seeded randomness of the engine: equal seeds give equal runs on every machine (splitmix64).
// Not for keys.
#pragma once

#include <cstdint>

#include "protocol/time.hpp"

namespace mbus::protocol {

class random_source {
public:
    explicit random_source(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
        return mixed ^ (mixed >> 31U);
    }

    // Evenly distributed in [0, 1): the RND of RFC 3259, section 8.1.1.
    double fraction() noexcept { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

    // Evenly distributed in [0, limit].
    duration up_to(duration limit) noexcept {
        return duration{static_cast<duration::rep>(fraction() * static_cast<double>(limit.count() + 1))};
    }

private:
    std::uint64_t state_;
};

}  // namespace mbus::protocol
