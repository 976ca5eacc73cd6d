// Awareness among many entities (RFC 3259, section 8): everybody comes to know everybody, and what
// one observer hears stays bounded however many there are.
#include <algorithm>

#include "protocol/hello_schedule.hpp"
#include "sim/seeds.hpp"
#include "support/bus_lab.hpp"

using namespace mbus;
using namespace mbus::lab;
using namespace std::chrono_literals;

namespace {

// `count` entities, spread over `nodes` nodes.
void populate(bus_lab& lab, std::size_t nodes, std::size_t count) {
    for (std::size_t index = 0; index < nodes; ++index) lab.add().recording = false;
    for (std::size_t index = 0; index < count; ++index) lab.at(index % nodes).attach("(sim:entity)");
}

bool all_know(bus_lab& lab, std::size_t count) {
    for (std::size_t index = 0; index < lab.size(); ++index)
        if (lab.at(index).node.entities() != count) return false;
    return true;
}

}  // namespace

TEST_CASE("membership converges after start, loss, partition, crash and orderly leave") {
    for (const auto seed : seeds(3)) {
        announce("membership", seed);
        bus_lab lab{{.seed = seed, .network = {.delay_min = 1ms, .delay_max = 20ms}, .capture = false}};
        populate(lab, 8, 16);
        lab.run_for(1100ms);  // first hello within a second of attaching (section 9.1)
        CHECK(all_know(lab, 16));

        lab.network().loss = 0.3;
        lab.network().duplication = 0.1;
        lab.run_for(60s);
        CHECK(lab.run_until([&] { return all_know(lab, 16); }, 60s));

        for (std::size_t index = 0; index < 4; ++index) lab.at(index).partition = 1;
        lab.network() = {.loss = 0.05, .delay_min = 1ms, .delay_max = 20ms};
        CHECK(lab.run_until([&] { return all_know(lab, 8); }, 120s));
        for (std::size_t index = 0; index < 4; ++index) lab.at(index).partition = 0;
        CHECK(lab.run_until([&] { return all_know(lab, 16); }, 60s));

        lab.network() = {};
        lab.at(0).detach_all();
        lab.run_for(1ms);
        for (std::size_t index = 1; index < lab.size(); ++index) CHECK(lab.at(index).node.entities() == 14);
        lab.at(1).partition = 9;  // crashed: silent for ever
        CHECK(lab.run_until(
            [&] { return lab.at(2).node.entities() == 12 && lab.at(7).node.entities() == 12; }, 60s));
    }
}

TEST_CASE("an observer hears a bounded number of hellos, from 2 to 5000 entities (RFC 3259 s8)") {
    struct size {
        std::size_t nodes;
        std::size_t entities;
    };
    const auto seed = seeds(1).front();
    announce("hello load", seed);
    for (const size each : {size{2, 2}, size{5, 5}, size{10, 50}, size{10, 500}, size{8, 5000}}) {
        bus_lab lab{{.seed = seed, .network = {}, .capture = false}};
        populate(lab, each.nodes, each.entities);
        lab.run_for(2s);  // the first hellos, which section 9.1 wants within a second
        CHECK(all_know(lab, each.entities));
        // All began together, so their hellos come in waves of a fifth of the interval (the dither),
        // and section 8.1.5, which draws the interval anew, crowds them in its later part. Whole
        // intervals are counted; the peak stays within some times the mean, at any size.
        const auto interval =
            std::chrono::ceil<std::chrono::seconds>(protocol::hello_interval(each.entities));
        const auto seconds = std::max<std::int64_t>(20, 3 * interval.count());
        const auto heard = [&] { return lab.at(0).node.counters().datagrams_in; };
        const auto start = heard();
        std::uint64_t peak = 0;
        for (std::int64_t second = 0; second < seconds; ++second) {
            const auto before = heard();
            lab.run_for(1s);
            peak = std::max(peak, heard() - before);
        }
        const double mean = static_cast<double>(heard() - start) / static_cast<double>(seconds);
        MESSAGE(each.entities << " entities: " << mean << " hellos a second, at most " << peak << " in one");
        CHECK(mean <= 6.0);
        CHECK(mean >= 1.0);
        CHECK(peak <= 120);
        CHECK(all_know(lab, each.entities));
    }
}

TEST_CASE("a thousand peers that join and leave at random are counted right") {
    for (const auto seed : seeds(1)) {
        announce("churn", seed);
        protocol::random_source random{seed};
        bus_lab lab{{.seed = seed, .network = {}, .capture = false}};
        auto& observer = lab.add();
        auto& crowd = lab.add();
        observer.recording = crowd.recording = false;
        std::vector<entity_handle> present;
        for (int round = 0; round < 3000; ++round) {
            if (present.empty() || random.fraction() < 0.6) {
                present.push_back(crowd.attach("(sim:crowd)"));
            } else {
                const auto which = random.next() % present.size();
                crowd.detach(present[which]);
                present.erase(present.begin() + static_cast<std::ptrdiff_t>(which));
            }
            lab.run_for(2ms);
        }
        lab.run_for(1100ms);
        CHECK(observer.node.entities() == present.size());
    }
}
