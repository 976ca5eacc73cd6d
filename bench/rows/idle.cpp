// What a server costs while nothing happens: memory without clients, with 100 and with 1000, and how often it wakes.
#include <chrono>
#include <memory>
#include <thread>

#include "harness/crew.hpp"
#include "harness/meter.hpp"
#include "peers/peers.hpp"
#include "rows/row.hpp"
#include "subjects/mbusd.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t few = 100;  // clients of one process: some libraries wait with select(2)
constexpr std::size_t many = 1000;
constexpr auto joining_limit = 60s;
constexpr auto watched = 5s;

double megabytes(const std::vector<pid_t>& servers) {
    double sum = 0;
    for (const auto each : servers) sum += static_cast<double>(resident_octets(each)) / 1e6;
    return sum;
}

double wakes(const std::vector<pid_t>& servers) {
    double sum = 0;
    for (const auto each : servers) sum += static_cast<double>(wake_ups(each));
    return sum;
}

double wakes_a_second(const std::vector<pid_t>& servers) {
    const auto before = wakes(servers);
    std::this_thread::sleep_for(watched);
    return (wakes(servers) - before) / std::chrono::duration<double>(watched).count();
}

std::vector<figure> measure_idle(const subject_maker& make) {
    const auto under_test = make({});
    std::this_thread::sleep_for(2s);  // past what a start does
    const auto servers = under_test->servers();
    const auto alone = megabytes(servers);
    const auto woken = wakes_a_second(servers);

    const shared_run run;
    crew people;
    const auto add_few = [&] {
        const auto there = run->ready.count();
        people.hire("idle clients", [&] {
            std::vector<std::unique_ptr<participant>> all;
            while (all.size() < few) {
                all.push_back(under_test->join({.role = part::subscriber, .delivered = &run->delivered[0]}));
                run->ready.add_atomically(1);
            }
            while (true) std::this_thread::sleep_for(1h);
        });
        people.await([&] { return run->ready.count() >= there + few; }, "the joining of 100 clients",
                     joining_limit);
    };
    add_few();
    std::this_thread::sleep_for(1s);
    const auto with_few = megabytes(servers);
    while (run->ready.count() < many) add_few();
    std::this_thread::sleep_for(1s);
    const auto with_many = megabytes(servers);
    return {{"resident, 1000 clients", with_many, "MB"},
            {"100 clients", with_few, "MB"},
            {"no client", alone, "MB"},
            {"wake-ups without clients", woken, "/s"}};
}

}  // namespace

void add_idle_jobs(std::vector<job>& jobs) {
    const auto add = [&](const std::string& id, const std::string& title, kind what,
                         const subject_maker& make) {
        jobs.push_back({.about = {.id = "idle/" + id, .work = "idle server", .subject = title, .what = what},
                        .measure = [make](const effort&) { return measure_idle(make); }});
    };
    add("mbusd", "mbusd", kind::mbusd, [](const subject_plan& plan) { return make_mbusd(plan, {}); });
    for (const auto& each : peer_systems())
        if (each.local && each.id != "zeromq-direct" && each.id != "mosquitto-1")
            add(each.id, each.title, kind::peer, each.local);
}

}  // namespace bench
