#include "report/run_report.hpp"

#include <sys/utsname.h>
#include <time.h>

#include <array>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <boost/json.hpp>

#include "report/targets.hpp"

namespace bench {
namespace {

namespace json = boost::json;

constexpr auto kinds = std::to_array<std::string_view>({"floor", "mbusd", "peer", "aside"});

// The value of the first "name: value" or NAME="value" line of a file.
std::string line_value(const char* file, const std::string& name, char between) {
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(name)) continue;
        auto value = line.substr(line.find(between) + 1);
        const auto first = value.find_first_not_of(" \"");
        const auto last = value.find_last_not_of(" \"");
        return first == std::string::npos ? "" : value.substr(first, last - first + 1);
    }
    return "unknown";
}

json::object figures_json(const row& one) {
    json::object out;
    for (const auto& each : one.figures) out[each.name] = {{"value", each.value}, {"unit", each.unit}};
    return out;
}

json::object row_json(const row& one) {
    return {{"id", one.id},
            {"work", one.work},
            {"subject", one.subject},
            {"kind", kinds.at(static_cast<std::size_t>(one.what))},
            {"figures", figures_json(one)},
            {"note", one.note},
            {"seconds", one.seconds}};
}

std::string text_of(const json::object& from, std::string_view name) {
    return json::value_to<std::string>(from.at(name));
}

row row_from(const json::object& from) {
    row out{.id = text_of(from, "id"),
            .work = text_of(from, "work"),
            .subject = text_of(from, "subject"),
            .note = text_of(from, "note")};
    if (const auto* const seconds = from.if_contains("seconds")) out.seconds = json::value_to<double>(*seconds);
    const auto named = text_of(from, "kind");
    for (std::size_t index = 0; index < kinds.size(); ++index)
        if (kinds.at(index) == named) out.what = static_cast<kind>(index);
    // An object of Boost.JSON keeps its order.
    for (const auto& each : from.at("figures").as_object()) {
        const auto& value = each.value().as_object();
        out.figures.push_back(
            {std::string{each.key()}, json::value_to<double>(value.at("value")), text_of(value, "unit")});
    }
    return out;
}

}  // namespace

circumstances present_circumstances() {
    circumstances out;
    const auto now = ::time(nullptr);
    tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 32> date{};
    (void)::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M UTC", &parts);
    out.date = date.data();
    out.processor = line_value("/proc/cpuinfo", "model name", ':');
    out.cores = std::thread::hardware_concurrency();
    utsname names{};
    if (::uname(&names) == 0) out.kernel = std::string{names.sysname} + " " + names.release;
    out.system = line_value("/etc/os-release", "PRETTY_NAME", '=');
    out.compiler = std::string{"g++ "} + __VERSION__;
    return out;
}

std::string to_json(const run_report& report) {
    json::array rows;
    for (const auto& each : report.rows) rows.push_back(row_json(each));
    json::array targets;
    for (const auto& each : judge(report.rows))
        targets.push_back({{"work", each.work},
                           {"must", each.must},
                           {"found", each.found},
                           {"reached", std::string{to_string(each.how)}}});
    const json::object all{{"date", report.where.date},
                           {"processor", report.where.processor},
                           {"cores", report.where.cores},
                           {"kernel", report.where.kernel},
                           {"system", report.where.system},
                           {"compiler", report.where.compiler},
                           {"quick", report.where.quick},
                           {"rows", rows},
                           {"targets", targets}};
    return json::serialize(all) + "\n";
}

run_report report_from_json(const std::string& text) {
    const auto parsed = json::parse(text);
    const auto& all = parsed.as_object();
    run_report out;
    out.where = {.date = text_of(all, "date"),
                 .processor = text_of(all, "processor"),
                 .cores = json::value_to<unsigned>(all.at("cores")),
                 .kernel = text_of(all, "kernel"),
                 .system = text_of(all, "system"),
                 .compiler = text_of(all, "compiler"),
                 .quick = all.at("quick").as_bool()};
    for (const auto& each : all.at("rows").as_array()) out.rows.push_back(row_from(each.as_object()));
    return out;
}

}  // namespace bench
