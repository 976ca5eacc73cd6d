#include "harness/drive.hpp"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <thread>
#include <vector>

#include "harness/crew.hpp"
#include "harness/meter.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr auto patience = 10s;        // for all to join and to hear the first message
constexpr auto quiet = 300ms;         // without a delivery at the end: what is missing is lost
constexpr auto written_off_after = 100ms;  // the same for a publisher that waits
constexpr auto warm_round_trips = 200;
// What a library keeps for a slow server is some megabytes at most.
constexpr std::size_t octets_under_way = std::size_t{2} * 1024 * 1024;

void wait_for(const crew& people, const std::function<bool()>& done, const char* what) {
    const auto deadline = clock_type::now() + patience;
    while (!done()) {
        people.check();
        if (clock_type::now() > deadline) throw std::runtime_error(std::string{what} + " did not happen in time");
        std::this_thread::sleep_for(1ms);
    }
}

std::uint64_t sum_of(const run_state& run, std::size_t readers) {
    std::uint64_t sum = 0;
    for (std::size_t index = 0; index < readers; ++index) sum += run.delivered[index].count();
    return sum;
}

// Until no delivery came for a while.
std::uint64_t settled(const run_state& run, std::size_t readers, std::chrono::milliseconds still) {
    auto last = sum_of(run, readers);
    for (auto since = clock_type::now(); clock_type::now() - since < still;) {
        std::this_thread::sleep_for(2ms);
        if (const auto now = sum_of(run, readers); now != last) {
            last = now;
            since = clock_type::now();
        }
    }
    return last;
}

// --- the publisher's process ------------------------------------------------------------------------

class publishing {
public:
    publishing(run_state& run, participant& self, const load& offered, std::size_t in_flight)
        : run_(run), self_(self), offered_(offered), credit_(std::max(std::min(in_flight, octets_under_way / offered.payload), burst)) {}

    void run() {
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

private:
    // One message now and then, until all have heard one and nothing is under way any more.
    void warm_up() {
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
        for (std::size_t index = 0; index < offered_.readers; ++index) run_.base[index] = run_.delivered[index].count();
        run_.warm.store(true, std::memory_order_release);
    }

    [[nodiscard]] std::uint64_t slowest() const {
        std::uint64_t least = UINT64_MAX;
        for (std::size_t index = 0; index < offered_.readers; ++index)
            least = std::min(least, run_.delivered[index].count() - run_.base[index]);
        return least + written_off_;
    }

    // Waits until half of what is under way has arrived. What does not arrive is written off.
    void hold_back() {
        heard_ = slowest();
        if (sent_ - heard_ + burst <= credit_) return;
        auto before = heard_;
        auto since = clock_type::now();
        while (sent_ - heard_ > credit_ / 2 && !run_.stop.load(std::memory_order_acquire)) {
            // The library may hold something that the server did not take at once.
            self_.serve(0ms);
            std::this_thread::sleep_for(200us);
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

    static void sleep_until(clock_type::time_point when) {
        const auto at = when.time_since_epoch().count();
        const timespec until{.tv_sec = at / 1'000'000'000, .tv_nsec = at % 1'000'000'000};
        (void)::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }

    run_state& run_;
    participant& self_;
    const load& offered_;
    std::uint64_t credit_;
    std::uint64_t sent_ = 0;
    std::uint64_t heard_ = 0;        // by the slowest, when last looked at
    std::uint64_t written_off_ = 0;
};

// --- looking ----------------------------------------------------------------------------------------

struct processes {
    pid_t publisher = -1;
    std::vector<pid_t> servers;
    std::vector<pid_t> subscribers;
};

struct look {
    clock_type::time_point at;
    std::uint64_t delivered = 0;
    std::uint64_t publisher = 0, server = 0, subscriber = 0;
};

look look_at(const run_state& run, const processes& who) {
    look out;
    out.delivered = sum_of(run, who.subscribers.size());
    out.at = clock_type::now();
    out.publisher = cpu_nanoseconds(who.publisher);
    out.server = cpu_nanoseconds(who.servers);
    out.subscriber = cpu_nanoseconds(who.subscribers);
    return out;
}

double per(std::uint64_t what, std::uint64_t deliveries) {
    return deliveries == 0 ? 0 : static_cast<double>(what) / static_cast<double>(deliveries);
}

void measure_windows(const run_state& run, const processes& who, const effort& spend, throughput& out) {
    std::vector<double> rates;
    const auto first = look_at(run, who);
    auto before = first;
    for (int window = 0; window < spend.windows; ++window) {
        std::this_thread::sleep_for(spend.window);
        const auto now = look_at(run, who);
        rates.push_back(static_cast<double>(now.delivered - before.delivered) / std::chrono::duration<double>(now.at - before.at).count());
        before = now;
    }
    std::ranges::sort(rates);
    out.rate = rates[rates.size() / 2];
    const auto deliveries = before.delivered - first.delivered;
    out.cpu = {.publisher = per(before.publisher - first.publisher, deliveries),
               .server = per(before.server - first.server, deliveries),
               .subscriber = per(before.subscriber - first.subscriber, deliveries)};
}

// In a time of its own, since counting costs a little.
void count_system_calls(const run_state& run, const processes& who, const effort& spend, throughput& out) {
    if (!syscall_meter::available()) return;
    const syscall_meter publisher{{&who.publisher, 1}};
    const syscall_meter server{who.servers};
    const syscall_meter subscriber{who.subscribers};
    const auto before = sum_of(run, who.subscribers.size());
    const auto p = publisher.count();
    const auto m = server.count();
    const auto s = subscriber.count();
    std::this_thread::sleep_for(spend.window / 2);
    const auto deliveries = sum_of(run, who.subscribers.size()) - before;
    out.system_calls = cost{.publisher = per(publisher.count() - p, deliveries),
                            .server = per(server.count() - m, deliveries),
                            .subscriber = per(subscriber.count() - s, deliveries)};
}

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

// --- the caller's process ---------------------------------------------------------------------------

void call_and_call(run_state& run, participant& self, std::chrono::milliseconds span) {
    const auto deadline = clock_type::now() + patience;
    for (int good = 0; good < warm_round_trips;) {
        if (self.call(200ms)) ++good;
        else if (clock_type::now() > deadline) throw std::runtime_error("no answer");
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
        run.sample[count++] = static_cast<std::uint32_t>(std::chrono::nanoseconds{clock_type::now() - start}.count());
    }
    run.samples.store(count, std::memory_order_release);
    run.stop.store(true, std::memory_order_release);
    while (true) ::pause();
}

}  // namespace

throughput measure_throughput(const subject_maker& make, const load& offered, const effort& spend) {
    const shared_run run;
    const auto under_test = make({.readers = offered.readers, .payload = offered.payload, .round_trip = false});
    crew people;
    processes who;
    for (std::size_t index = 0; index < offered.readers; ++index) {
        who.subscribers.push_back(people.hire("subscriber", [&] {
            const auto self = under_test->join({.role = part::subscriber,
                                                .index = index,
                                                .payload = offered.payload,
                                                .readers = offered.readers,
                                                .delivered = &run->delivered[index]});
            run->ready.add_atomically(1);
            while (true) self->serve(100ms);
        }));
    }
    wait_for(people, [&] { return run->ready.count() == offered.readers; }, "the subscribers' joining");
    who.publisher = people.hire("publisher", [&] {
        const auto self =
            under_test->join({.role = part::publisher, .payload = offered.payload, .readers = offered.readers});
        publishing{*run, *self, offered, under_test->in_flight()}.run();
    });
    who.servers = under_test->servers();
    wait_for(people, [&] { return run->warm.load(std::memory_order_acquire); }, "the first delivery");
    std::this_thread::sleep_for(100ms);

    throughput out;
    measure_windows(*run, who, spend, out);
    count_system_calls(*run, who, spend, out);
    run->stop.store(true, std::memory_order_release);
    (void)settled(*run, offered.readers, quiet);
    people.check();
    out.offered = run->offered.count() * offered.readers;
    std::uint64_t arrived = 0;
    for (std::size_t index = 0; index < offered.readers; ++index) arrived += run->delivered[index].count() - run->base[index];
    out.lost = out.offered > arrived ? out.offered - arrived : 0;
    return out;
}

round_trip measure_round_trip(const subject_maker& make, std::size_t payload, bool one_core, const effort& spend) {
    const shared_run run;
    const on_one_core pinned{one_core};
    const auto under_test = make({.readers = 1, .payload = payload, .round_trip = true});
    crew people;
    people.hire("echo", [&] {
        const auto self = under_test->join({.role = part::echo, .payload = payload});
        run->ready.add_atomically(1);
        while (true) self->serve(100ms);
    });
    wait_for(people, [&] { return run->ready.count() == 1; }, "the echo's joining");
    people.hire("caller", [&] {
        const auto self = under_test->join({.role = part::caller, .payload = payload});
        call_and_call(*run, *self, spend.round_trips);
    });
    wait_for(people, [&] { return run->stop.load(std::memory_order_acquire); }, "the end of the round trips");

    const auto count = run->samples.load(std::memory_order_acquire);
    if (count == 0) throw std::runtime_error("no round trip was answered");
    std::vector<std::uint32_t> sorted(run->sample.begin(), run->sample.begin() + static_cast<std::ptrdiff_t>(count));
    std::ranges::sort(sorted);
    const auto at = [&](double share) {
        return static_cast<double>(sorted[static_cast<std::size_t>(share * static_cast<double>(count - 1))]) / 1000;
    };
    return {.p50 = at(0.5), .p99 = at(0.99), .p999 = at(0.999), .samples = count, .lost = run->lost_calls.load()};
}

}  // namespace bench
