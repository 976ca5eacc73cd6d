// mbus top: sessions and rates, again and again.
#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "cli/daemon_requests.hpp"
#include "cli/duration.hpp"
#include "cli/text.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

using namespace std::chrono_literals;

// Keys at once and without echo, while this lives.
class single_keys {
public:
    explicit single_keys(bool wanted) : wanted_(wanted && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
        if (!wanted_) return;
        auto raw = before_;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    ~single_keys() {
        if (wanted_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    }
    single_keys(const single_keys&) = delete;
    single_keys& operator=(const single_keys&) = delete;
    [[nodiscard]] bool on() const noexcept { return wanted_; }

private:
    termios before_{};
    bool wanted_;
};

struct row {
    std::int64_t id = 0;
    std::string name;
    std::string user;
    bool connected = false;
    std::int64_t received = 0;
    std::int64_t delivered = 0;
    std::int64_t dropped = 0;
    std::int64_t queued = 0;
};
struct picture {
    std::chrono::steady_clock::time_point at;
    value::list status;
    value::list counters;
    std::map<std::int64_t, row> rows;
    std::string refused;  // why there are no rows
};

result<picture> look(opened& on) {
    picture out;
    auto status = ask_daemon(on.bus, *on.me, "mbusd.status", on.limit);
    if (!status) return std::move(status).error();
    auto counters = ask_daemon(on.bus, *on.me, "mbusd.counters", on.limit);
    if (!counters) return std::move(counters).error();
    out.status = std::move(*status);
    out.counters = std::move(*counters);
    const auto seen = each_row(on.bus, *on.me, "mbusd.sessions", "sessions", on.limit, [&](const value::list& row) {
        const auto count = [&](std::string_view key) { return number_at(row, key).value_or(0); };
        out.rows[count("session")] = {count("session"), text_at(row, "name"), text_at(row, "user"), count("connected") == 1,
                                      count("received"), count("delivered"), count("dropped"), count("queued-messages")};
        return true;
    });
    if (!seen) out.refused = seen.error().text;
    out.at = std::chrono::steady_clock::now();
    return out;
}

double rate(std::int64_t now, std::int64_t before, double seconds) { return seconds > 0 ? static_cast<double>(now - before) / seconds : 0; }

std::vector<std::string> lines_of(const picture& now, const picture& before) {
    const auto seconds = std::chrono::duration<double>(now.at - before.at).count();
    const auto router = [&](std::string_view key) {
        return rate(number_at(list_at(now.counters, "router"), key).value_or(0), number_at(list_at(before.counters, "router"), key).value_or(0), seconds);
    };
    const auto bus = [&](std::string_view key) {
        return rate(number_at(list_at(now.counters, "bus"), key).value_or(0), number_at(list_at(before.counters, "bus"), key).value_or(0), seconds);
    };
    std::vector<std::string> out;
    out.push_back(fmt::format("mbusd {}  up {}  {} sessions  {} entities on the bus", text_at(now.status, "version"),
                              format_duration(std::chrono::milliseconds{number_at(now.status, "uptime-ms").value_or(0)}),
                              number_at(now.status, "sessions").value_or(0), number_at(now.status, "entities").value_or(0)));
    if (const auto xmpp = number_at(now.status, "xmpp-sessions")) out.back() += fmt::format("  {} XMPP sessions", *xmpp);
    if (const auto feeds = number_at(now.status, "feeds")) out.back() += fmt::format("  {} feeds", *feeds);
    out.push_back(fmt::format("messages/s: {:.1f} routed, {:.1f} delivered, {:.1f} dropped   bus: {:.1f} in, {:.1f} out", router("routed"),
                              router("delivered"), router("dropped-policy") + router("dropped-limit") + router("overflowed"), bus("messages-in"),
                              bus("messages-out")));
    out.emplace_back();
    if (!now.refused.empty()) {
        out.push_back("sessions: " + printable(now.refused));
        return out;
    }
    out.push_back(fmt::format("{:>8}  {:<20} {:<12} {:<5} {:>10} {:>10} {:>8} {:>8}", "SESSION", "NAME", "USER", "STATE", "SENT/s", "GOT/s", "QUEUED", "DROPPED"));
    std::vector<std::pair<double, std::string>> rows;
    for (const auto& [id, each] : now.rows) {
        const auto old = before.rows.find(id);
        const auto& was = old == before.rows.end() ? each : old->second;
        const auto sent = rate(each.received, was.received, seconds);
        const auto got = rate(each.delivered, was.delivered, seconds);
        rows.emplace_back(-(sent + got), fmt::format("{:>8}  {:<20} {:<12} {:<5} {:>10.1f} {:>10.1f} {:>8} {:>8}", id, printable(each.name).substr(0, 20),
                                                     printable(each.user).substr(0, 12), each.connected ? "here" : "away", sent, got, each.queued,
                                                     each.dropped));
    }
    std::ranges::stable_sort(rows, {}, [](const auto& one) { return one.first; });
    for (auto& [order, text] : rows) out.push_back(std::move(text));
    return out;
}

exit_code watch(opened& on, const arguments& args) {
    const auto delay = args.duration("delay").value_or(1s);
    const bool batch = args.has("batch") || ::isatty(STDOUT_FILENO) == 0;
    const auto rounds = args.count("count");
    const single_keys keys{!batch && ::isatty(STDIN_FILENO) != 0};
    bool quit = false;
    const watched_input input = keys.on() ? watched_input{STDIN_FILENO, [&] {
        char key = 0;
        if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q') quit = true;
    }} : watched_input{};
    auto before = look(on);
    if (!before) return on.fail(before.error());
    for (std::uint64_t round = 1;; ++round) {
        const auto how = on.bus.run([&] { return quit; }, before->at + delay, input);
        if (quit) return exit_code::ok;
        if (how != ended::time_limit) return on.fail(on.bus.failure_of(how, delay));
        auto now = look(on);
        if (!now) return on.fail(now.error());
        // Home and clear to the end, so that nothing flickers.
        std::string page = batch ? "" : "\x1b[H\x1b[J";
        for (const auto& line : lines_of(*now, *before)) page += line + '\n';
        if (!on.out.raw(page + (batch ? "\n" : ""))) return exit_code::ok;
        if (rounds && round >= *rounds) return exit_code::ok;
        before = std::move(now);
    }
}

exit_code run(const arguments& args, output& out) {
    return with_entity(args, out, [&](opened& on) { return watch(on, args); });
}

}  // namespace

verb top_verb() {
    return {{.program = "mbus top",
             .summary = "watch sessions, queues and rates",
             .synopsis = {"[options]"},
             .description = {"Shows what the daemon does, the busiest sessions first; q ends it. Sessions are shown to those who may administer. Without a terminal, "
                             "or with --batch, one picture after another is printed."},
             .options = {{.letter = 'n', .name = "count", .takes = operand::count, .placeholder = "N", .help = "end after N pictures (never)"},
                         {.letter = 'd', .name = "delay", .takes = operand::duration, .placeholder = "TIME", .help = "time between two pictures (1 s)"},
                         {.letter = 'b', .name = "batch", .help = "print plain text, one picture after another"},
                         timeout_option("limit for each answer of the daemon (10 s)"), quiet_option(), verbose_option(), socket_option()},
             .words = operand::none,
             .word_choices = {},
             .words_min = 0,
             .words_max = 0,
             .examples = {{"mbus top", "watch; q ends it"},
                          {"mbus top -b -n 1", "one picture, for a report"},
                          {"mbus top -d 5", "a calmer one"},
                          {"mbus top -b -d 60 >>top.log", "a diary"},
                          {"mbus top -b -n 1 -d 10", "rates over ten seconds"}}},
            run};
}

}  // namespace mbus::tools
