// Measures a subject: forks one process per participant, counts deliveries in shared memory and reads CPU
// and system calls from the kernel while messages flow, between two looks at the same counters.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "harness/subject.hpp"

namespace bench {

enum class offering : std::uint8_t {
    bursts,  // 64 at a time, as a busy application does
    single,  // one at a time, as fast as the subject takes them
    paced,   // one at a time, 10 000 a second
};

inline constexpr std::size_t burst = 64;
inline constexpr int paced_per_second = 10'000;

struct load {
    std::size_t payload = 64;
    std::size_t readers = 1;
    offering how = offering::bursts;
};

// How long to look. Bursts are measured from `starts` fresh starts, since how the kernel places processes on cores
// differs from one to the next; the medians of rate and CPU count, and all else from the start with the median rate.
struct effort {
    int starts = 3;
    int windows = 2;
    std::chrono::milliseconds window{200};
    std::chrono::milliseconds round_trips{600};
    [[nodiscard]] bool quick() const noexcept { return starts == 1; }
};

// Per delivered message.
struct cost {
    double publisher = 0;
    double server = 0;
    double subscriber = 0;
    [[nodiscard]] double all() const noexcept { return publisher + server + subscriber; }
};

struct throughput {
    double rate = 0;            // deliveries a second, all subscribers together
    std::uint64_t offered = 0;  // deliveries that should have been, over the whole run
    std::uint64_t lost = 0;
    cost cpu{};                          // ns
    std::optional<cost> system_calls{};  // none where they can't be counted
    // Of the servers, where their allocations are counted.
    std::optional<double> allocations{};     // per delivered message
    std::optional<double> reads_per_look{};  // per epoll_wait, of all connections together
    std::optional<double> writes_per_look{};
};

struct round_trip {
    double p50 = 0, p99 = 0, p999 = 0;  // us
    std::size_t samples = 0;
    std::uint64_t lost = 0;
};

[[nodiscard]] throughput measure_throughput(const subject_maker& make, const load& offered,
                                            const effort& spend);
// `one_core`: all processes share one.
[[nodiscard]] round_trip measure_round_trip(const subject_maker& make, std::size_t payload, bool one_core,
                                            const effort& spend);

}  // namespace bench
