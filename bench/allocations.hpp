// Counts calls of operator new in this process, to show what a hot path allocates.
#pragma once

#include <cstdint>

namespace bench {

[[nodiscard]] std::uint64_t allocations() noexcept;

// Allocations since it was made.
class allocation_count {
public:
    [[nodiscard]] double per(std::int64_t iterations) const noexcept {
        return static_cast<double>(allocations() - start_) / static_cast<double>(iterations);
    }

private:
    std::uint64_t start_ = allocations();
};

}  // namespace bench
