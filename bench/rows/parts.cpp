// The parts: google-benchmark's programs (bench_parts), and instructions per message under callgrind, which are the same
// on every machine (bench_instructions).
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "harness/scratch.hpp"
#include "rows/row.hpp"

namespace bench {
namespace {

constexpr auto parts = {"parse_and_format",
                        "parse_only",
                        "scan_only",
                        "hmac_alone",
                        "engine_receive",
                        "engine_send",
                        "engine_bad_mac",
                        "envelope_seal",
                        "envelope_open",
                        "frame_encode",
                        "frame_decode",
                        "route_lookup",
                        "node_turn",
                        "deliver_to_a_hundred/0",
                        "deliver_to_a_hundred/4096"};
constexpr auto counted = {"codec", "scan", "envelope", "route", "frame"};
constexpr std::uint64_t callgrind_rounds = 2000;

std::string beside_this_program(const std::string& name) {
    const auto file = std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
    if (!std::filesystem::exists(file)) throw not_available(file.string() + " is not built");
    return file.string();
}

// What a program prints; throws with its end when it fails.
std::string output_of(const std::string& command) {
    FILE* const out = ::popen((command + " 2>&1").c_str(), "r");
    if (out == nullptr) throw std::runtime_error("popen");
    std::string text;
    std::array<char, 4096> some{};
    while (const auto got = std::fread(some.data(), 1, some.size(), out)) text.append(some.data(), got);
    if (::pclose(out) != 0) throw std::runtime_error(text.substr(text.size() > 300 ? text.size() - 300 : 0));
    return text;
}

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::stringstream in{line};
    for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
    return fields;
}

// name,iterations,real_time,cpu_time,time_unit,bytes_per_second,items_per_second,label,error_occurred,error_message,counters...
std::vector<figure> measure_part(const std::string& name, const effort& spend) {
    const auto text = output_of(
        "'" + beside_this_program("bench_parts") + "' --benchmark_format=csv --benchmark_filter='^" + name +
        "(/manual_time)?$' --benchmark_min_time=" + (spend.quick() ? "0.05" : "0.3") + " 2>/dev/null");
    std::stringstream in{text};
    std::vector<std::string> head;
    for (std::string line; std::getline(in, line);) {
        const auto fields = split(line);
        if (fields.empty()) continue;
        if (fields.front() == "name") head = fields;
        if (head.empty() || !fields.front().starts_with("\"" + name)) continue;
        std::vector<figure> out;
        double rate = 0;
        for (std::size_t index = 0; index < fields.size() && index < head.size(); ++index) {
            if (head[index] == "items_per_second") rate = std::stod(fields[index]);
            if (head[index] == "\"allocations\"" && !fields[index].empty())
                out.push_back({"allocations", std::stod(fields[index]), ""});
        }
        if (rate <= 0) throw std::runtime_error("no rate of " + name);
        out.insert(out.begin(), {{"time", 1e9 / rate, "ns"}, {"rate", rate, "/s"}});
        return out;
    }
    throw std::runtime_error("bench_parts has no " + name);
}

// Instructions that callgrind saw in so many rounds.
double instructions(const std::string& valgrind, const std::string& what, std::uint64_t rounds) {
    const auto text =
        output_of("'" + valgrind + "' --tool=callgrind --callgrind-out-file=/dev/null '" +
                  beside_this_program("bench_instructions") + "' " + what + " " + std::to_string(rounds));
    constexpr std::string_view mark = "Collected : ";
    const auto at = text.find(mark);
    if (at == std::string::npos) throw std::runtime_error("callgrind counted nothing");
    return std::stod(text.substr(at + mark.size()));
}

// The difference of two runs, so that the start does not count.
std::vector<figure> count_part(const std::string& what) {
    const auto valgrind = find_program("valgrind", "valgrind");
    const auto once = instructions(valgrind, what, callgrind_rounds);
    const auto twice = instructions(valgrind, what, 2 * callgrind_rounds);
    return {{"instructions", (twice - once) / static_cast<double>(callgrind_rounds), ""}};
}

}  // namespace

void add_part_jobs(std::vector<job>& jobs) {
    for (const std::string name : parts)
        jobs.push_back({.about = {.id = "parts/" + name, .work = "parts, per message", .subject = name},
                        .measure = [name](const effort& spend) { return measure_part(name, spend); }});
    for (const std::string name : counted)
        jobs.push_back({.about = {.id = "instructions/" + name,
                                  .work = "instructions per message, by callgrind",
                                  .subject = name},
                        .measure = [name](const effort&) { return count_part(name); }});
}

}  // namespace bench
