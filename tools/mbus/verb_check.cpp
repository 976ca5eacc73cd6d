// mbus check: one line for monitoring systems, and an exit status as Nagios plugins have it.
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/daemon_requests.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

using namespace std::chrono_literals;

// The statuses of Nagios plugins; they differ from those of the other verbs on purpose.
enum class state : int { ok = 0, warning = 1, critical = 2, unknown = 3 };
constexpr std::array<std::string_view, 4> state_names{"OK", "WARNING", "CRITICAL", "UNKNOWN"};

// Alarms above `most`, or below `least` for "N:".
struct threshold {
    std::optional<double> least;
    std::optional<double> most;
    std::string text;
    [[nodiscard]] bool crossed(double figure) const noexcept { return (least && figure < *least) || (most && figure > *most); }
};
struct metric {
    std::string_view name;
    std::string_view unit;
    double figure = 0;
    bool known = false;
    std::optional<threshold> warn{};
    std::optional<threshold> critical{};
};

std::optional<double> number(std::string_view text) {
    double read = 0;
    const auto done = std::from_chars(text.data(), text.data() + text.size(), read);
    if (text.empty() || done.ec != std::errc{} || done.ptr != text.data() + text.size() || !std::isfinite(read)) return std::nullopt;
    return read;
}

// "10", "2:", "2:10"
std::optional<threshold> range(std::string_view text) {
    threshold out{.least = {}, .most = {}, .text = std::string{text}};
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) {
        out.most = number(text);
        return out.most ? std::optional{out} : std::nullopt;
    }
    out.least = number(text.substr(0, colon));
    if (!out.least) return std::nullopt;
    if (colon + 1 == text.size()) return out;
    out.most = number(text.substr(colon + 1));
    return out.most ? std::optional{out} : std::nullopt;
}

using metrics = std::array<metric, 4>;

metrics standard() {
    return {{{.name = "drops", .unit = "", .warn = range("1"), .critical = range("100")},
             {.name = "queue", .unit = "", .warn = range("10000"), .critical = range("50000")},
             {.name = "lag", .unit = "ms", .warn = range("200"), .critical = range("1000")},
             {.name = "peers", .unit = ""}}};
}

// "METRIC=RANGE" of -w and -c.
result<void> set_thresholds(metrics& into, const arguments& args, std::string_view option, std::optional<threshold> metric::*which) {
    for (const auto& given : args.all(option)) {
        const auto equals = given.find('=');
        const auto name = std::string_view{given}.substr(0, equals);
        const auto limit = equals == std::string::npos ? std::nullopt : range(std::string_view{given}.substr(equals + 1));
        auto found = into.begin();
        while (found != into.end() && found->name != name) ++found;
        if (found == into.end() || !limit) {
            return {errc::bad_argument, fmt::format("--{} {}: expected drops, queue, lag or peers, '=', and a range: 10 (above is bad), 2: (below is bad) or 2:10",
                                                    option, given)};
        }
        (*found).*which = limit;
    }
    return {};
}

std::int64_t drops_in(const value::list& counters) {
    std::int64_t sum = 0;
    const auto& router = list_at(counters, "router");
    for (const std::string_view key : {"dropped-policy", "dropped-limit", "overflowed", "too-large-for-client"}) sum += number_at(router, key).value_or(0);
    return sum + number_at(list_at(counters, "sockets"), "kernel-drops").value_or(0);
}

void set(metrics& all, std::string_view name, double figure) {
    for (auto& each : all) {
        if (each.name != name) continue;
        each.figure = figure;
        each.known = true;
    }
}

// The longest queue of a session; nothing without the right to administer.
std::optional<std::int64_t> longest_queue(opened& on) {
    std::int64_t longest = 0;
    const auto seen = each_row(on.bus, *on.me, "mbusd.sessions", "sessions", on.limit, [&](const value::list& row) {
        longest = std::max(longest, number_at(row, "queued-messages").value_or(0));
        return true;
    });
    return seen ? std::optional{longest} : std::nullopt;
}

result<void> measure(opened& on, metrics& all, std::chrono::milliseconds between) {
    const auto start = std::chrono::steady_clock::now();
    auto before = ask_daemon(on.bus, *on.me, "mbusd.counters", on.limit);
    if (!before) return std::move(before).error();
    const auto asked = std::chrono::steady_clock::now();
    if (on.bus.run([] { return false; }, start + between) == ended::signal) return on.bus.failure_of(ended::signal, between);
    const auto again = std::chrono::steady_clock::now();
    auto after = ask_daemon(on.bus, *on.me, "mbusd.counters", on.limit);
    if (!after) return std::move(after).error();
    const auto answered = std::chrono::steady_clock::now();
    const auto seconds = std::chrono::duration<double>(again - asked).count();
    set(all, "drops", seconds > 0 ? static_cast<double>(drops_in(*after) - drops_in(*before)) / seconds : 0);
    set(all, "lag", std::chrono::duration<double, std::milli>(answered - again).count());
    if (const auto queue = longest_queue(on)) set(all, "queue", static_cast<double>(*queue));
    auto status = ask_daemon(on.bus, *on.me, "mbusd.status", on.limit);
    if (!status) return std::move(status).error();
    set(all, "peers", static_cast<double>(number_at(*status, "entities").value_or(0)));
    return {};
}

state state_of(const metric& one) {
    if (!one.known) return state::ok;
    if (one.critical && one.critical->crossed(one.figure)) return state::critical;
    return one.warn && one.warn->crossed(one.figure) ? state::warning : state::ok;
}

std::string range_text(const std::optional<threshold>& limit) { return limit ? limit->text : ""; }

void print(output& out, std::string_view format, const metrics& all, state how, const std::string& failure) {
    std::string says = failure;
    std::string figures;
    std::string json_figures;
    for (const auto& each : all) {
        if (!each.known) continue;
        if (state_of(each) != state::ok) says += fmt::format("{}{} is {:.6g}{}", says.empty() ? "" : ", ", each.name, each.figure, each.unit);
        figures += fmt::format(" {}={:.6g}{};{};{}", each.name, each.figure, each.unit, range_text(each.warn), range_text(each.critical));
        json_figures += fmt::format("{}\"{}\":{:.6g}", json_figures.empty() ? "" : ",", each.name, each.figure);
    }
    if (says.empty()) says = "mbusd is well";
    if (format == "json") {
        std::string line = fmt::format(R"({{"v":1,"status":"{}","text":)", state_names[static_cast<std::size_t>(how)]);
        json::append_string(line, says);
        out.line(line + ",\"metrics\":{" + json_figures + "}}");
        return;
    }
    if (format == "text") {
        out.line(fmt::format("{}: {}", state_names[static_cast<std::size_t>(how)], says));
        for (const auto& each : all) {
            if (each.known) out.line(fmt::format("  {:<6} {:.6g}{}", each.name, each.figure, each.unit));
        }
        return;
    }
    out.line(fmt::format("MBUS {} - {}{}", state_names[static_cast<std::size_t>(how)], says, figures.empty() ? "" : " |" + figures));
}

exit_code run(const arguments& args, output& out) {
    auto all = standard();
    const auto format = args.text("format").value_or("nagios");
    for (const auto& [option, which] : {std::pair{"warning", &metric::warn}, std::pair{"critical", &metric::critical}}) {
        if (const auto fine = set_thresholds(all, args, option, which); !fine) {
            static_cast<void>(usage_failure(out, fine.error()));
            return static_cast<exit_code>(state::unknown);
        }
    }
    state how = state::critical;
    std::string failure = "mbusd does not answer; mbus doctor says why";
    const auto ran = with_entity(args, out, [&](opened& on) {
        failure.clear();
        const auto measured = measure(on, all, args.duration("interval").value_or(1s));
        if (!measured) {
            failure = describe(measured.error());
            return exit_code::failed;
        }
        how = state::ok;
        for (const auto& each : all) how = std::max(how, state_of(each));
        return exit_code::ok;
    });
    if (ran == exit_code::interrupted || ran == exit_code::terminated) return ran;
    print(out, format, all, how, failure);
    return static_cast<exit_code>(how);
}

}  // namespace

verb check_verb() {
    return {{.program = "mbus check",
             .summary = "one line and an exit status for a monitoring system",
             .synopsis = {"[options]"},
             .description = {"Measures drops (messages lost a second), queue (the longest of a session; needs the right to administer), lag (ms until the "
                             "daemon answers) and peers (entities on the bus). Exit status as Nagios plugins: 0 ok, 1 warning, 2 critical or no "
                             "daemon, 3 unknown."},
             .options = {{.letter = 'w', .name = "warning", .takes = operand::text, .placeholder = "METRIC=RANGE", .help = "warn outside of RANGE; repeatable (drops=1 queue=10000 lag=200)", .repeatable = true},
                         {.letter = 'c', .name = "critical", .takes = operand::text, .placeholder = "METRIC=RANGE", .help = "critical outside of RANGE; repeatable (drops=100 queue=50000 lag=1000)", .repeatable = true},
                         {.name = "format", .takes = operand::choice, .placeholder = "FORMAT", .help = "nagios, json or text (nagios)", .choices = {"nagios", "json", "text"}},
                         {.letter = 'i', .name = "interval", .takes = operand::duration, .placeholder = "TIME", .help = "measure drops for this long (1 s)"},
                         timeout_option("limit for each answer of the daemon (10 s)"), quiet_option(), verbose_option(), socket_option()},
             .words = operand::none,
             .word_choices = {},
             .words_min = 0,
             .words_max = 0,
             .examples = {{"mbus check", "is the daemon well"},
                          {"mbus check -w peers=3: -c peers=1:", "there should be three entities at least"},
                          {"mbus check -w lag=50 -c lag=500", "be stricter about the time that it takes to answer"},
                          {"mbus check --format json", "for a program"},
                          {"mbus check --format text -i 10", "for people, drops over ten seconds"}}},
            run};
}

}  // namespace mbus::tools
