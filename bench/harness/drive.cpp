#include "harness/drive.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <vector>

#include "harness/crew.hpp"
#include "harness/meter.hpp"
#include "harness/publishing.hpp"
#include "harness/run_tools.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

// Without a delivery for so long at the end, what is missing is lost.
constexpr auto quiet = 300ms;

struct processes {
    pid_t publisher = -1;
    std::vector<pid_t> servers;
    std::vector<pid_t> subscribers;
};

struct look {
    clock_type::time_point at;
    std::uint64_t delivered = 0;
    std::uint64_t publisher = 0, server = 0, subscriber = 0;
    std::optional<std::uint64_t> allocations;
};

look look_at(const run_state& run, const processes& who, const subject& under_test) {
    look out;
    out.delivered = delivered_in(run, who.subscribers.size());
    out.at = clock_type::now();
    out.publisher = cpu_nanoseconds(who.publisher);
    out.server = cpu_nanoseconds(who.servers);
    out.subscriber = cpu_nanoseconds(who.subscribers);
    out.allocations = under_test.allocations();
    return out;
}

double per(std::uint64_t what, std::uint64_t deliveries) {
    return deliveries == 0 ? 0 : static_cast<double>(what) / static_cast<double>(deliveries);
}

void measure_windows(const run_state& run, const processes& who, const subject& under_test,
                     const effort& spend, throughput& out) {
    std::vector<double> rates;
    const auto first = look_at(run, who, under_test);
    auto before = first;
    for (int window = 0; window < spend.windows; ++window) {
        std::this_thread::sleep_for(spend.window);
        const auto now = look_at(run, who, under_test);
        // Of the last window: until then queues may still grow to what they need.
        if (now.allocations && before.allocations)
            out.allocations = per(*now.allocations - *before.allocations, now.delivered - before.delivered);
        rates.push_back(static_cast<double>(now.delivered - before.delivered) /
                        std::chrono::duration<double>(now.at - before.at).count());
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
    const syscall_meter looks{who.servers, calls::looks};
    const syscall_meter reads{who.servers, calls::reads};
    const syscall_meter writes{who.servers, calls::writes};
    const auto before = delivered_in(run, who.subscribers.size());
    const auto p = publisher.count();
    const auto m = server.count();
    const auto s = subscriber.count();
    const auto l = looks.count();
    const auto r = reads.count();
    const auto w = writes.count();
    std::this_thread::sleep_for(spend.window / 2);
    const auto deliveries = delivered_in(run, who.subscribers.size()) - before;
    out.system_calls = cost{.publisher = per(publisher.count() - p, deliveries),
                            .server = per(server.count() - m, deliveries),
                            .subscriber = per(subscriber.count() - s, deliveries)};
    if (!out.allocations) return;
    const auto looked = looks.count() - l;
    if (looked == 0 || !reads.complete() || !writes.complete()) return;
    out.reads_per_look = per(reads.count() - r, looked);
    out.writes_per_look = per(writes.count() - w, looked);
}

throughput measure_once(const subject_maker& make, const load& offered, const effort& spend) {
    const shared_run run;
    const auto under_test = make(
        {.readers = offered.readers, .payload = offered.payload, .round_trip = false, .counted = true});
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
    people.await([&] { return run->ready.count() == offered.readers; }, "the subscribers' joining");
    who.publisher = people.hire("publisher", [&] {
        const auto self = under_test->join(
            {.role = part::publisher, .payload = offered.payload, .readers = offered.readers});
        publishing{*run, *self, offered, under_test->in_flight()}.run();
    });
    who.servers = under_test->servers();
    people.await([&] { return run->warm.load(std::memory_order_acquire); }, "the first delivery");
    std::this_thread::sleep_for(100ms);

    throughput out;
    measure_windows(*run, who, *under_test, spend, out);
    count_system_calls(*run, who, spend, out);
    run->stop.store(true, std::memory_order_release);
    (void)settled(*run, offered.readers, quiet);
    people.check();
    out.offered = run->offered.count() * offered.readers;
    std::uint64_t arrived = 0;
    for (std::size_t index = 0; index < offered.readers; ++index)
        arrived += run->delivered[index].count() - run->base[index];
    out.lost = out.offered > arrived ? out.offered - arrived : 0;
    return out;
}

}  // namespace

throughput measure_throughput(const subject_maker& make, const load& offered, const effort& spend) {
    std::vector<throughput> all;
    const int starts = offered.how == offering::bursts ? spend.starts : 1;
    for (int start = 0; start < starts; ++start) all.push_back(measure_once(make, offered, spend));
    const auto middle = [&all](const auto& figure) {
        std::ranges::sort(all, {}, figure);
        return all[all.size() / 2];
    };
    const cost cpu{.publisher = middle([](const throughput& one) { return one.cpu.publisher; }).cpu.publisher,
                   .server = middle([](const throughput& one) { return one.cpu.server; }).cpu.server,
                   .subscriber =
                       middle([](const throughput& one) { return one.cpu.subscriber; }).cpu.subscriber};
    auto out = middle(&throughput::rate);
    out.cpu = cpu;
    // A loss is told wherever it happened.
    out.offered = out.lost = 0;
    for (const auto& each : all) {
        out.offered += each.offered;
        out.lost += each.lost;
    }
    return out;
}

}  // namespace bench
