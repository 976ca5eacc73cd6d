#include "report/format.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>

#include "report/targets.hpp"

namespace bench {
namespace {

constexpr std::string_view begin_mark = "<!-- measured: written by ./dev bench --update-docs -->";
constexpr std::string_view end_mark = "<!-- end of measured -->";

std::string padded(std::string text, std::size_t width) {
    // Columns count characters; only ASCII stands in them.
    text.resize(std::max(width, text.size() + 1), ' ');
    return text;
}

// The result of a row and how it compares within its work.
struct comparison {
    std::string of_floor;      // the first floor row
    std::string of_best_peer;  // for mbusd's rows
};

bool more_is_better(const figure& result) { return result.unit == "/s"; }

std::string ratio(double ours, double theirs) { return theirs > 0 ? number(ours / theirs) : ""; }

comparison compare(const std::vector<row>& rows, const row& one) {
    comparison out;
    if (one.figures.empty()) return out;
    const auto& result = one.figures.front();
    std::optional<double> floor;
    std::optional<double> best;
    for (const auto& each : rows) {
        if (each.work_id() != one.work_id() || each.figures.empty() ||
            each.figures.front().name != result.name)
            continue;
        const auto value = each.figures.front().value;
        if (each.what == kind::floor && !floor) floor = value;
        if (each.what == kind::peer && (!best || (value > *best) == more_is_better(result))) best = value;
    }
    if (floor && one.what != kind::floor) out.of_floor = ratio(result.value, *floor);
    if (best && one.what == kind::mbusd) out.of_best_peer = ratio(result.value, *best);
    return out;
}

std::string joined(const row& one, const std::array<const char*, 3>& names) {
    std::string out;
    for (const auto* name : names) {
        const auto value = one.value(name);
        if (!value) return "";
        out += (out.empty() ? "" : " + ") + number(*value);
    }
    return out;
}

// What is not shown in a column of its own: p99, resident memory, losses.
std::string details(const row& one) {
    std::string out = one.note;
    for (std::size_t index = 1; index < one.figures.size(); ++index) {
        const auto& each = one.figures[index];
        if (each.name.starts_with("cpu ") || each.name.starts_with("calls ")) continue;
        if (each.name == "lost" && each.value == 0) continue;
        out += (out.empty() ? "" : "; ") + each.name + " " + formatted(each);
    }
    return out;
}

struct cells {
    std::string subject, result, of_floor, of_best, cpu, calls, more;
};

cells cells_of(const std::vector<row>& rows, const row& one) {
    const auto beside = compare(rows, one);
    return {.subject = one.subject + (one.what == kind::floor ? " (floor)" : ""),
            .result = one.figures.empty() ? "" : formatted(one.figures.front()),
            .of_floor = beside.of_floor,
            .of_best = beside.of_best_peer,
            .cpu = joined(one, {"cpu publisher", "cpu server", "cpu subscriber"}),
            .calls = joined(one, {"calls publisher", "calls server", "calls subscriber"}),
            .more = details(one)};
}

// "p50", when the result is no rate.
std::string result_name(const std::vector<row>& rows, std::string_view work) {
    for (const auto& each : rows)
        if (each.work_id() == work && !each.figures.empty()) return each.figures.front().name;
    return "result";
}

template <class Visit>
void by_work(const std::vector<row>& rows, const Visit& visit) {
    std::vector<std::string_view> seen;
    for (const auto& each : rows) {
        if (std::ranges::find(seen, each.work_id()) != seen.end()) continue;
        seen.push_back(each.work_id());
        std::vector<row> those;
        std::ranges::copy_if(rows, std::back_inserter(those),
                             [&](const row& other) { return other.work_id() == each.work_id(); });
        visit(each.work, those);
    }
}

}  // namespace

std::string number(double value) {
    std::array<char, 48> text{};
    const double size = std::fabs(value);
    const int decimals = size == 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 2 : 3;
    (void)std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    return text.data();
}

std::string formatted(const figure& value) {
    if (value.unit == "/s" && value.value >= 1e6) return number(value.value / 1e6) + " M/s";
    if (value.unit == "/s" && value.value >= 1e4) return number(value.value / 1e3) + " k/s";
    if (value.unit.empty() || value.unit == "/s") return number(value.value) + value.unit;
    return number(value.value) + " " + value.unit;
}

std::string line_of(const row& one) {
    const auto shown = cells_of({one}, one);
    std::string line = padded(one.id, 48) + padded(shown.result, 14);
    if (!shown.cpu.empty()) line += " cpu " + shown.cpu + " ns";
    if (!shown.calls.empty()) line += "  calls " + shown.calls;
    if (!shown.more.empty()) line += "  " + shown.more;
    return line;
}

std::string table_of(const run_report& report) {
    std::string out;
    by_work(report.rows, [&](const std::string& work, const std::vector<row>& those) {
        out += "\n" + work + "\n" + padded("", 42) + padded(result_name(those, those.front().work_id()), 13) +
               padded("of floor", 10) + padded("of best peer", 14) + padded("CPU ns a delivery", 24) +
               "system calls a delivery\n";
        for (const auto& each : those) {
            const auto shown = cells_of(those, each);
            out += "  " + padded(shown.subject, 40) + padded(shown.result, 13) + padded(shown.of_floor, 10) +
                   padded(shown.of_best, 14) + padded(shown.cpu, 24) + padded(shown.calls, 24) + shown.more +
                   "\n";
        }
    });
    out += "\ntargets\n";
    for (const auto& each : judge(report.rows))
        out += "  " + padded(std::string{to_string(each.how)}, 14) + padded(each.work, 76) +
               padded(each.must, 40) + each.found + "\n";
    return out;
}

std::string markdown_of(const run_report& report) {
    const auto& where = report.where;
    std::string out = "Measured " + where.date + " on " + where.processor + ", " +
                      std::to_string(where.cores) + " cores, " + where.kernel + ", " + where.system + ", " +
                      where.compiler + ", Release." +
                      (where.quick ? " A quick run: the figures are rough." : "") + "\n\n### Targets\n\n" +
                      "| work | must | found | |\n|---|---|---|---|\n";
    for (const auto& each : judge(report.rows))
        out += "| " + each.work + " | " + each.must + " | " + each.found + " | " +
               std::string{to_string(each.how)} + " |\n";
    by_work(report.rows, [&](const std::string& work, const std::vector<row>& those) {
        const bool costs = std::ranges::any_of(
            those, [](const row& each) { return each.value("cpu publisher").has_value(); });
        out += "\n### " + work + "\n\n| | " + result_name(those, those.front().work_id()) +
               " | of the floor | of the best peer |" + (costs ? " CPU, ns | system calls |" : "") +
               " |\n|---|---|---|---|" + (costs ? "---|---|" : "") + "---|\n";
        for (const auto& each : those) {
            const auto shown = cells_of(those, each);
            out += "| " + shown.subject + " | " + shown.result + " | " + shown.of_floor + " | " +
                   shown.of_best + " | " + (costs ? shown.cpu + " | " + shown.calls + " | " : "") +
                   shown.more + " |\n";
        }
    });
    return out;
}

void update_docs(const std::string& file, const run_report& report) {
    std::ifstream in{file};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    const auto begin = text.find(begin_mark);
    const auto end = text.find(end_mark);
    if (begin == std::string::npos || end == std::string::npos || end < begin)
        throw std::runtime_error(file + " has no lines '" + std::string{begin_mark} + "' and '" +
                                 std::string{end_mark} + "'");
    const auto from = begin + begin_mark.size();
    text.replace(from, end - from, "\n\n" + markdown_of(report) + "\n");
    std::ofstream out{file, std::ios::trunc};
    if (!(out << text).flush()) throw std::runtime_error("can't write " + file);
}

}  // namespace bench
