// Round trips: one message on its way, to an echo and back.
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "harness/crew.hpp"
#include "harness/drive.hpp"
#include "harness/shared_run.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr auto patience = 10s;
constexpr auto warm_round_trips = 200;

// While it lives, this process and those that it starts run on the first core that it may use.
class on_one_core {
public:
    explicit on_one_core(bool wanted) : wanted_(wanted) {
        if (!wanted_) return;
        (void)::sched_getaffinity(0, sizeof before_, &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
            if (!CPU_ISSET(core, &before_)) continue;
            CPU_SET(core, &one);
            break;
        }
        if (::sched_setaffinity(0, sizeof one, &one) != 0) throw std::runtime_error("sched_setaffinity");
    }
    ~on_one_core() {
        if (wanted_) (void)::sched_setaffinity(0, sizeof before_, &before_);
    }
    on_one_core(const on_one_core&) = delete;
    on_one_core& operator=(const on_one_core&) = delete;

private:
    bool wanted_;
    cpu_set_t before_{};
};

// The caller's process.
void call_and_call(run_state& run, participant& self, std::chrono::milliseconds span) {
    const auto deadline = clock_type::now() + patience;
    for (int good = 0; good < warm_round_trips;) {
        if (self.call(200ms))
            ++good;
        else if (clock_type::now() > deadline)
            throw std::runtime_error("no answer");
    }
    const auto end = clock_type::now() + span;
    std::size_t count = 0;
    while (count < samples_max) {
        const auto start = clock_type::now();
        if (start > end) break;
        if (!self.call(1s)) {
            run.lost_calls.fetch_add(1);
            continue;
        }
        run.sample[count++] =
            static_cast<std::uint32_t>(std::chrono::nanoseconds{clock_type::now() - start}.count());
    }
    run.samples.store(count, std::memory_order_release);
    run.stop.store(true, std::memory_order_release);
    while (true) ::pause();
}

}  // namespace

round_trip measure_round_trip(const subject_maker& make, std::size_t payload, bool one_core,
                              const effort& spend) {
    const shared_run run;
    const on_one_core pinned{one_core};
    const auto under_test = make({.readers = 1, .payload = payload, .round_trip = true});
    crew people;
    people.hire("echo", [&] {
        const auto self = under_test->join({.role = part::echo, .payload = payload});
        run->ready.add_atomically(1);
        while (true) self->serve(100ms);
    });
    people.await([&] { return run->ready.count() == 1; }, "the echo's joining");
    people.hire("caller", [&] {
        const auto self = under_test->join({.role = part::caller, .payload = payload});
        call_and_call(*run, *self, spend.round_trips);
    });
    people.await([&] { return run->stop.load(std::memory_order_acquire); }, "the end of the round trips");

    const auto count = run->samples.load(std::memory_order_acquire);
    if (count == 0) throw std::runtime_error("no round trip was answered");
    std::vector<std::uint32_t> sorted(run->sample.begin(),
                                      run->sample.begin() + static_cast<std::ptrdiff_t>(count));
    std::ranges::sort(sorted);
    const auto at = [&](double share) {
        return static_cast<double>(sorted[static_cast<std::size_t>(share * static_cast<double>(count - 1))]) /
               1000;
    };
    return {
        .p50 = at(0.5), .p99 = at(0.99), .p999 = at(0.999), .samples = count, .lost = run->lost_calls.load()};
}

}  // namespace bench
