// Memory that the processes of one measurement share: deliveries, the start and the end, round trips.
#pragma once

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>

namespace bench {

// Counts in a cache line of its own. One process writes, others look.
class alignas(64) tally {
public:
    void add(std::uint64_t more) noexcept {
        count_.store(count_.load(std::memory_order_relaxed) + more, std::memory_order_release);
    }
    // The same when several threads of the process count.
    void add_atomically(std::uint64_t more) noexcept { count_.fetch_add(more, std::memory_order_acq_rel); }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_.load(std::memory_order_acquire); }

private:
    std::atomic<std::uint64_t> count_{0};
};

inline constexpr std::size_t subscribers_max = 128;
inline constexpr std::size_t samples_max = 400'000;  // round trips; some seconds of the fastest subject

struct run_state {
    std::array<tally, subscribers_max> delivered;
    tally offered;
    tally ready;                                        // participants that have joined
    std::array<std::uint64_t, subscribers_max> base{};  // deliveries before the measurement
    std::atomic<bool> warm{false};                      // every subscriber has heard the publisher
    std::atomic<bool> stop{false};                      // the publisher ends
    std::atomic<std::uint64_t> lost_calls{0};
    std::atomic<std::size_t> samples{0};
    std::array<std::uint32_t, samples_max> sample{};  // ns
};

// A run_state that survives fork().
class shared_run {
public:
    shared_run() {
        void* const memory =
            ::mmap(nullptr, sizeof(run_state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
        state_ = new (memory) run_state;
    }
    ~shared_run() { ::munmap(state_, sizeof(run_state)); }
    shared_run(const shared_run&) = delete;
    shared_run& operator=(const shared_run&) = delete;

    run_state* operator->() const noexcept { return state_; }
    run_state& operator*() const noexcept { return *state_; }

private:
    run_state* state_ = nullptr;
};

}  // namespace bench
