// How often a process has asked the heap for memory, told by a library that is preloaded into it
// (subjects/counted_allocations.cpp).
//
//     allocation_meter meter{directory};
//     server_process server{{..., .before_exec = [&] { meter.preload(); }}};
//     ... meter.count() ...
#pragma once

#include <cstdint>
#include <string>

#include "harness/scratch.hpp"

namespace bench {

class allocation_meter {
public:
    explicit allocation_meter(const scratch_directory& directory);
    ~allocation_meter();
    allocation_meter(const allocation_meter&) = delete;
    allocation_meter& operator=(const allocation_meter&) = delete;

    // In the process that is about to become the one that is counted.
    void preload() const;
    [[nodiscard]] std::uint64_t count() const noexcept;

private:
    std::string file_;
    const std::uint64_t* counter_ = nullptr;
};

}  // namespace bench
