#include "harness/publishing.hpp"

#include <time.h>

#include <algorithm>
#include <thread>

#include "harness/run_tools.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

// Short beside the time in which half of what is under way arrives, so that nobody runs dry meanwhile.
constexpr auto look_again_after = 50us;
// Without a delivery for so long, what is under way is lost.
constexpr auto written_off_after = 100ms;
// What a library keeps for a slow server is some megabytes at most.
constexpr std::size_t octets_under_way = std::size_t{2} * 1024 * 1024;

void sleep_until(clock_type::time_point when) {
    const auto at = when.time_since_epoch().count();
    const timespec until{.tv_sec = at / 1'000'000'000, .tv_nsec = at % 1'000'000'000};
    (void)::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace

publishing::publishing(run_state& run, participant& self, const load& offered, std::size_t in_flight)
    : run_(run),
      self_(self),
      offered_(offered),
      credit_(std::max(std::min(in_flight, octets_under_way / offered.payload), burst)) {}

void publishing::run() {
    warm_up();
    const std::size_t together = offered_.how == offering::bursts ? burst : 1;
    auto next = clock_type::now();
    while (!run_.stop.load(std::memory_order_acquire)) {
        if (sent_ - heard_ + together > credit_) hold_back();
        self_.publish(together);
        sent_ += together;
        run_.offered.add(together);
        if (offered_.how == offering::paced) {
            next += std::chrono::nanoseconds{1'000'000'000 / paced_per_second};
            sleep_until(next);
        }
    }
    // What the library still holds goes out while it serves.
    while (true) self_.serve(10ms);
}

// One message now and then, until all have heard one and nothing is under way any more.
void publishing::warm_up() {
    const auto all_heard = [&] {
        for (std::size_t index = 0; index < offered_.readers; ++index)
            if (run_.delivered[index].count() == 0) return false;
        return true;
    };
    while (!all_heard()) {
        self_.publish(1);
        self_.serve(2ms);
    }
    (void)settled(run_, offered_.readers, 30ms);
    for (std::size_t index = 0; index < offered_.readers; ++index)
        run_.base[index] = run_.delivered[index].count();
    run_.warm.store(true, std::memory_order_release);
}

std::uint64_t publishing::slowest() const {
    std::uint64_t least = UINT64_MAX;
    for (std::size_t index = 0; index < offered_.readers; ++index)
        least = std::min(least, run_.delivered[index].count() - run_.base[index]);
    return least + written_off_;
}

// Waits until half of what is under way has arrived. What does not arrive is written off.
void publishing::hold_back() {
    heard_ = slowest();
    if (sent_ - heard_ + burst <= credit_) return;
    auto before = heard_;
    auto since = clock_type::now();
    while (sent_ - heard_ > credit_ / 2 && !run_.stop.load(std::memory_order_acquire)) {
        // The library may hold something that the server did not take at once.
        self_.serve(0ms);
        std::this_thread::sleep_for(look_again_after);
        heard_ = slowest();
        if (heard_ != before) {
            before = heard_;
            since = clock_type::now();
        } else if (clock_type::now() - since > written_off_after) {
            written_off_ += sent_ - heard_;
            heard_ = sent_;
        }
    }
}

}  // namespace bench
