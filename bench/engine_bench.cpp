// The engine with HMAC-SHA1-96 on datagrams of 256 octets, beside what the MAC alone costs over the
// same octets in the same run (core/protocol). Each receive and each send is one whole message:
// header, MAC line, commands, routing and delivery to one entity.
#include <benchmark/benchmark.h>

#include <time.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "protocol/envelope_mac.hpp"
#include "protocol/node.hpp"

namespace {

using namespace mbus::protocol;

constexpr std::size_t datagram_octets = 256;
// A few batches of the daemon's sendmmsg and recvmmsg: reading the clock costs nothing against it.
constexpr std::size_t batch = 256;

struct counting_events final : node_events {
    std::uint64_t delivered = 0;
    bool deliver(entity_handle, const std::shared_ptr<const inbound>& what) override {
        benchmark::DoNotOptimize(what->payload.data());
        ++delivered;
        return true;
    }
    void observed(const std::shared_ptr<const inbound>&) override {}
    void sent(const send_report&) override {}
    void peer_changed(const peer_view&, peer_state) override {}
};

session_config keys() {
    static const auto config = generate_session_config(key_profile::rfc_unencrypted, scope::host_local);
    return config;
}

struct station {
    explicit station(std::string host, std::string_view address)
        : engine({.host_id = std::move(host), .coalesce = false, .seed = 1}, *envelope::create(keys()), events),
          entity(*engine.attach(at, *mbus::address::parse(address), 4711)) {}

    void run(duration span) {
        at.now += span;
        at.wall_ms += static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(span).count());
        engine.advance(at);
    }

    instant at{time_point{} + std::chrono::hours{1}, 1'700'000'000'000};
    counting_events events;
    node engine;
    entity_handle entity;
};

// Two stations that know each other.
struct pair_of_stations {
    station sender{"10.0.0.1", "(app:rat media:audio module:engine)"};
    station receiver{"10.0.0.2", "(app:mixer media:audio module:ui)"};
    endpoint from{ip_family::v4, {10, 0, 0, 1}, 50001, 2};
    mbus::address destination = *mbus::address::parse("(media:audio module:ui)");
    std::string payload;

    pair_of_stations() {
        sender.run(std::chrono::seconds{2});
        receiver.run(std::chrono::seconds{2});
        pass();
        // As long as it takes for a datagram of 256 octets.
        payload = "audio.gain(\"\")";
        const auto size = sender.engine.datagram_octets({.from = sender.entity, .destination = &destination, .payload = payload});
        if (size < datagram_octets) payload.insert(payload.size() - 2, std::string(datagram_octets - size, 'x'));
    }

    void send() {
        (void)sender.engine.transmit(
            sender.at, {.from = sender.entity, .destination = &destination, .payload = payload, .commands = 1});
    }
    void pass() {
        const auto out = sender.engine.transmits(sender.at);
        for (const auto& each : out) receiver.engine.receive(receiver.at, each.datagram, from);
        sender.engine.transmitted(out.size());
    }
};

// CPU time of this thread, so that a busy machine does not count.
double cpu_seconds() {
    timespec spent{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

void hmac_alone(benchmark::State& state) {
    const auto config = keys();
    const auto mac = make_keyed_mac(config.hash, config.hash_key.octets());
    const std::string datagram(datagram_octets, 'x');
    std::byte digest[mac_octets_max];
    for (auto _ : state) {
        mac->compute(datagram, digest);
        benchmark::DoNotOptimize(digest);
    }
    state.SetItemsProcessed(state.iterations());
}

void engine_receive(benchmark::State& state) {
    pair_of_stations both;
    std::uint64_t allocated = 0;
    for (auto _ : state) {
        for (std::size_t index = 0; index < batch; ++index) both.send();
        const auto out = both.sender.engine.transmits(both.sender.at);
        const auto before = bench::allocations();
        const auto start = cpu_seconds();
        for (const auto& each : out) both.receiver.engine.receive(both.receiver.at, each.datagram, both.from);
        state.SetIterationTime(cpu_seconds() - start);
        allocated += bench::allocations() - before;
        state.counters["octets"] = static_cast<double>(out.front().datagram.size());
        both.sender.engine.transmitted(out.size());
    }
    const auto messages = state.iterations() * static_cast<std::int64_t>(batch);
    if (both.receiver.events.delivered != static_cast<std::uint64_t>(messages)) state.SkipWithError("lost");
    state.SetItemsProcessed(messages);
    state.counters["allocations"] = static_cast<double>(allocated) / static_cast<double>(messages);
}

void engine_send(benchmark::State& state) {
    pair_of_stations both;
    bench::allocation_count allocations;
    for (auto _ : state) {
        for (std::size_t index = 0; index < batch; ++index) both.send();
        const auto out = both.sender.engine.transmits(both.sender.at);
        benchmark::DoNotOptimize(out.data());
        state.counters["octets"] = static_cast<double>(out.front().datagram.size());
        both.sender.engine.transmitted(out.size());
    }
    const auto messages = state.iterations() * static_cast<std::int64_t>(batch);
    state.SetItemsProcessed(messages);
    state.counters["allocations"] = allocations.per(messages);
}

// A flood of datagrams of another key must cost no more than the MAC.
void engine_bad_mac(benchmark::State& state) {
    pair_of_stations both;
    both.send();
    std::string datagram{both.sender.engine.transmits(both.sender.at).front().datagram};
    datagram.back() ^= 1;
    for (auto _ : state) both.receiver.engine.receive(both.receiver.at, datagram, both.from);
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(hmac_alone);
BENCHMARK(engine_receive)->UseManualTime();
BENCHMARK(engine_send);
BENCHMARK(engine_bad_mac);

}  // namespace
