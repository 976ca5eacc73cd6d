// How long it takes until all others know a new one: for mbusd until every watching program was told of the new
// entity. Most peers have no presence; for them, until everyone has heard the first message of a new client.
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include <mbus/mbus.hpp>

#include "harness/crew.hpp"
#include "peers/peers.hpp"
#include "rows/row.hpp"
#include "subjects/mbusd.hpp"
#include "subjects/mbusd_net.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t watchers = 8;
constexpr auto one_limit = 10s;

struct plan {
    int times = 20;
};

void wait_until(const crew& people, const std::function<bool()>& done) {
    const auto deadline = clock_type::now() + one_limit;
    while (!done()) {
        people.check();
        if (clock_type::now() > deadline) throw std::runtime_error("a new one was not seen by all");
        std::this_thread::sleep_for(20us);
    }
}

bool all_have(const shared_run& run, std::uint64_t count) {
    return std::all_of(run->delivered.begin(), run->delivered.begin() + watchers,
                       [&](const tally& each) { return each.count() >= count; });
}

std::vector<figure> figures_of(std::vector<double> milliseconds) {
    std::ranges::sort(milliseconds);
    return {{"p50", milliseconds[milliseconds.size() / 2], "ms"}, {"worst", milliseconds.back(), "ms"}};
}

double since(clock_type::time_point start) {
    return std::chrono::duration<double, std::milli>(clock_type::now() - start).count();
}

// A participant that is made in a process of its own, and its first message at all others.
std::vector<figure> measure_first_message(const subject_maker& make, const plan& how) {
    const shared_run run;
    const auto under_test = make({.readers = watchers});
    crew others;
    for (std::size_t index = 0; index < watchers; ++index)
        others.hire("subscriber", [&] {
            const auto self = under_test->join({.role = part::subscriber,
                                                .index = index,
                                                .readers = watchers,
                                                .delivered = &run->delivered[index]});
            run->ready.add_atomically(1);
            while (true) self->serve(100ms);
        });
    wait_until(others, [&] { return run->ready.count() == watchers; });
    std::this_thread::sleep_for(300ms);
    std::vector<double> times;
    for (int round = 0; round < how.times; ++round) {
        std::vector<std::uint64_t> before;
        for (const auto& each : run->delivered) before.push_back(each.count());
        const auto heard = [&] {
            for (std::size_t index = 0; index < watchers; ++index)
                if (run->delivered[index].count() == before[index]) return false;
            return true;
        };
        crew newcomer;
        const auto start = clock_type::now();
        newcomer.hire("newcomer", [&] {
            const auto self = under_test->join({.role = part::publisher, .readers = watchers});
            while (true) {
                self->publish(1);
                self->serve(1ms);
            }
        });
        wait_until(others, heard);
        times.push_back(since(start));
    }
    return figures_of(times);
}

// --- mbusd: watches ---------------------------------------------------------------------------------

constexpr std::string_view newcomer_address = "(app:bench part:newcomer)";

mbus::connection connect(const std::string& socket) {
    auto made = mbus::connect(socket);
    if (!made) throw std::runtime_error(describe(made.error()));
    return std::move(*made);
}

void watch(const std::string& socket, shared_run& run, std::size_t index) {
    auto connection = connect(socket);
    auto watching =
        connection
            .watch(newcomer_address,
                   [&](const mbus::peer& who) {
                       if (who.state == mbus::peer_state::joined || who.state == mbus::peer_state::present)
                           run->delivered[index].add(1);
                   })
            .wait();
    if (!watching) throw std::runtime_error(describe(watching.error()));
    run->ready.add_atomically(1);
    (void)connection.run();
}

// `at`, `there`: sockets of the newcomer's daemon and of the watchers'.
std::vector<figure> measure_watches(const std::string& at, const std::string& there, const plan& how) {
    shared_run run;
    crew others;
    for (std::size_t index = 0; index < watchers; ++index)
        others.hire("watcher", [&, index] { watch(there, run, index); });
    wait_until(others, [&] { return run->ready.count() == watchers; });
    auto connection = connect(at);
    std::vector<double> times;
    for (int round = 1; round <= how.times; ++round) {
        const auto start = clock_type::now();
        auto entity = connection.attach(newcomer_address).wait();
        if (!entity) throw std::runtime_error(describe(entity.error()));
        wait_until(others, [&] { return all_have(run, static_cast<std::uint64_t>(round)); });
        times.push_back(since(start));
        (void)entity->detach().wait();
        std::this_thread::sleep_for(50ms);
    }
    return figures_of(times);
}

std::vector<figure> measure_mbusd(const effort& spend) {
    const mbusd_process daemon{{}};
    return measure_watches(daemon.socket(), daemon.socket(), {.times = spend.quick() ? 10 : 50});
}

std::vector<figure> measure_mbusd_link(const effort& spend) {
    const auto where = std::make_shared<network>(span::veth);
    const auto keys = key_file_of({.this_host_alone = false});
    const mbusd_process here{
        {.key_file = keys, .bus = "families = \"ipv4\"\n", .before_exec = [where] { where->enter(0); }}};
    const mbusd_process there{
        {.key_file = keys, .bus = "families = \"ipv4\"\n", .before_exec = [where] { where->enter(1); }}};
    std::this_thread::sleep_for(1s);
    return measure_watches(here.socket(), there.socket(), {.times = spend.quick() ? 3 : 10});
}

}  // namespace

void add_discovery_jobs(std::vector<job>& jobs) {
    const auto add = [&](const std::string& id, const std::string& title, kind what,
                         std::function<std::vector<figure>(const effort&)> measure) {
        const bool link = id == "mbusd-link";
        jobs.push_back(
            {.about = {.id = (link ? "discovery-link/" : "discovery/") + id,
                       .work = link
                                   ? "a new entity is seen on another host, with the random delay of RFC 3259"
                                   : "a new one is seen by 8 others; peers: its first message is heard",
                       .subject = title,
                       .what = what},
             .measure = std::move(measure)});
    };
    const auto first_message = [](const subject_maker& make) {
        return [make](const effort& spend) {
            return measure_first_message(make, {.times = spend.quick() ? 5 : 20});
        };
    };
    add("mbusd", "mbusd", kind::mbusd, measure_mbusd);
    add("mbusd-message", "mbusd, first message", kind::mbusd,
        first_message([](const subject_plan& made) { return make_mbusd(made, {}); }));
    for (const auto& each : peer_systems()) {
        if (each.local && each.id != "mosquitto-1")
            add(each.id, each.title, each.direct ? kind::aside : kind::peer, first_message(each.local));
        if (each.multicast)
            add(each.id, each.title, kind::peer,
                first_message([make = each.multicast](const subject_plan& made) {
                    auto place = std::make_shared<network>(span::loopback);
                    auto what = make(made, place->interface());
                    return on_network(std::move(place), std::move(what));
                }));
    }
    add("mbusd-link", "mbusd, over a veth", kind::mbusd, measure_mbusd_link);
}

}  // namespace bench
