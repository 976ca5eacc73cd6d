// Reading and writing one message of 200 octets with five arguments (core/message).
#include <benchmark/benchmark.h>

#include <string>

#include <mbus/message.hpp>

#include "allocations.hpp"

namespace {

// 200 octets: header of a real entity, one command with one argument of five types each.
const std::string text =
    "mbus/1.0 4711 1017619201500 U (app:rat conf:test id:4711-1@192.168.1.1 media:audio module:engine) "
    "(media:audio module:ui) ()\r\n"
    "audio.channel.gain(\"front left speaker\" -12 2.5 on <AAECAwQFBgcICQ==>)\r\n";

void parse_and_format(benchmark::State& state) {
    std::string out;
    bench::allocation_count allocations;
    for (auto _ : state) {
        auto read = mbus::parse_message(text);
        if (!read) state.SkipWithError(read.error().text.c_str());
        auto written = mbus::format_message(*read);
        benchmark::DoNotOptimize(written);
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["octets"] = static_cast<double>(text.size());
    state.counters["allocations"] = allocations.per(state.iterations());
}

void parse_only(benchmark::State& state) {
    bench::allocation_count allocations;
    for (auto _ : state) {
        auto read = mbus::parse_message(text);
        benchmark::DoNotOptimize(read);
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["allocations"] = allocations.per(state.iterations());
}

// What the daemon does on the local path: one validating walk, nothing built.
void scan_only(benchmark::State& state) {
    const auto payload = std::string_view{text}.substr(mbus::scan_header(text)->payload_offset);
    bench::allocation_count allocations;
    for (auto _ : state) {
        mbus::command_scanner scan{payload};
        while (const auto* command = scan.next()) benchmark::DoNotOptimize(command);
        if (scan.failed()) state.SkipWithError("the payload does not parse");
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["allocations"] = allocations.per(state.iterations());
}

BENCHMARK(parse_and_format);
BENCHMARK(parse_only);
BENCHMARK(scan_only);

}  // namespace
