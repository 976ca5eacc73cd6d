// The parts of the hot path that have no benchmark of their own file: envelope, frame codec, route cache, and a turn of
// the node as the daemon makes it.
#include <benchmark/benchmark.h>

#include <chrono>

#include "allocations.hpp"
#include "parts/works.hpp"
#include "protocol/session_config.hpp"

namespace {

constexpr std::int64_t messages_of_a_turn = 64;

template <class Work>
void repeat(benchmark::State& state, Work work) {
    work();
    const bench::allocation_count allocations;
    for (auto _ : state) work();
    state.SetItemsProcessed(state.iterations());
    state.counters["allocations"] = allocations.per(state.iterations());
}

void envelope_seal(benchmark::State& state) {
    bench::envelope_work work;
    repeat(state, [&] { work.seal(); });
}
void envelope_open(benchmark::State& state) {
    bench::envelope_work work;
    repeat(state, [&] { work.open(); });
}
void frame_encode(benchmark::State& state) {
    bench::frame_work work;
    repeat(state, [&] { work.encode(); });
}
void frame_decode(benchmark::State& state) {
    bench::frame_work work;
    repeat(state, [&] { work.decode(); });
}
void route_lookup(benchmark::State& state) {
    bench::route_work work;
    for (int index = 0; index < 100; ++index) work.once();
    repeat(state, [&] { work.once(); });
}

// 64 messages of 64 octets to one destination on the bus, coalesced, sealed and handed over: per message.
void node_turn(benchmark::State& state) {
    using namespace mbus::protocol;
    bench::silent_events events;
    node engine{{.host_id = "10.0.0.1", .seed = 1},
                *envelope::create(generate_session_config(key_profile::rfc_unencrypted, scope::host_local)),
                events};
    instant at{time_point{} + std::chrono::hours{1}, 1'700'000'000'000};
    const auto entity = *engine.attach(at, *mbus::address::parse("(app:bench)"), 4711);
    const auto destination = *mbus::address::parse("(app:reader)");
    const std::string payload = "bench.text(\"" + std::string(50, 'x') + "\")";
    engine.observe(false);
    const auto turn = [&] {
        for (std::int64_t index = 0; index < messages_of_a_turn; ++index)
            (void)engine.transmit(
                at, {.from = entity, .destination = &destination, .payload = payload, .commands = 1});
        at.now += std::chrono::microseconds{100};
        engine.advance(at);
        const auto out = engine.transmits(at);
        benchmark::DoNotOptimize(out.data());
        engine.transmitted(out.size());
    };
    turn();
    const bench::allocation_count allocations;
    for (auto _ : state) turn();
    state.SetItemsProcessed(state.iterations() * messages_of_a_turn);
    state.counters["allocations"] = allocations.per(state.iterations() * messages_of_a_turn);
}

BENCHMARK(envelope_seal);
BENCHMARK(envelope_open);
BENCHMARK(frame_encode);
BENCHMARK(frame_decode);
BENCHMARK(route_lookup);
BENCHMARK(node_turn);

}  // namespace
