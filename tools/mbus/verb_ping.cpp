// mbus ping: mbus.ping(), sent reliably to each entity that matches, and how long its acknowledgement took.
#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/words.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::uint64_t default_count = 3;
constexpr std::chrono::milliseconds default_interval = 1s;

struct tally {
    std::uint64_t sent = 0;
    std::vector<double> times;  // ms
    exit_code status = exit_code::ok;
};

std::string ping_json(const address& whom, const result<delivery>& done, double took) {
    std::string line = R"({"v":1,"entity":)";
    json::append_address(line, whom);
    line += fmt::format(",\"ok\":{}", done.has_value());
    if (done) {
        line += ",\"time\":";
        json::append_number(line, took);
        line += fmt::format(",\"tried\":{}", done->tried);
    } else {
        line += fmt::format(",\"code\":\"{}\",\"text\":", to_string(done.error().code));
        json::append_string(line, done.error().text);
    }
    return line + "}";
}

void ping_one(opened& on, const address& whom, bool json, tally& sums) {
    const auto start = steady::now();
    ++sums.sent;
    const auto done = on.bus.await(on.me->send_reliably(whom, command{"mbus.ping", {}}), on.limit);
    const double took = std::chrono::duration<double, std::milli>(steady::now() - start).count();
    if (!done && on.bus.events().caught() != 0) return;
    if (json) on.out.line(ping_json(whom, done, took));
    if (done) {
        sums.times.push_back(took);
        if (!json) on.out.line(fmt::format("{} time={:.2f} ms tries={}", whom.text(), took, done->tried));
    } else {
        sums.status = first_failure(sums.status, on.fail(done.error()));
        if (!json) on.out.line(fmt::format("{} {}", whom.text(), to_string(done.error().code)));
    }
}

exit_code ping_round(opened& on, const address& to, bool json, tally& sums) {
    auto found = on.bus.await(on.bus.bus().peers(to), on.limit);
    if (!found) return on.fail(found.error());
    std::erase_if(*found, [&](const peer& one) { return one.address == on.me->address(); });
    std::ranges::sort(*found, {}, [](const peer& one) { return one.address; });
    if (found->empty()) {
        on.out.note(fmt::format("nobody matches {}; who is there: mbus peers", to.text()));
        return exit_code::nobody_matched;
    }
    for (const auto& one : *found) {
        if (on.bus.events().caught() != 0 || on.out.broken()) break;
        ping_one(on, one.address, json, sums);
    }
    return exit_code::ok;
}

void summary(const opened& on, const tally& sums) {
    if (sums.times.empty()) return;
    const auto [least, most] = std::ranges::minmax(sums.times);
    double sum = 0;
    for (const double one : sums.times) sum += one;
    on.out.note(fmt::format("{} sent, {} acknowledged; least/average/most {:.2f}/{:.2f}/{:.2f} ms", sums.sent, sums.times.size(), least,
                            sum / static_cast<double>(sums.times.size()), most));
}

exit_code run(const arguments& args, output& out) {
    const auto to = read_address(args.words());
    if (!to) return out.fail(to.error());
    const auto count = args.count("count").value_or(default_count);
    const auto interval = args.duration("interval").value_or(default_interval);
    return with_entity(args, out, [&](opened& on) {
        tally sums;
        auto due = steady::now();
        for (std::uint64_t round = 0; round < count && !out.broken(); ++round) {
            const auto end = round == 0 ? ended::time_limit : on.bus.run([] { return false; }, due);
            if (end == ended::closed) return on.fail(on.bus.failure_of(end, on.limit));
            if (end != ended::time_limit) break;
            due += interval;
            const auto status = ping_round(on, *to, args.has("json"), sums);
            if (status != exit_code::ok) return status;
            if (sums.status == exit_code::no_daemon) return sums.status;
        }
        summary(on, sums);
        if (on.bus.events().caught() != 0) return on.fail({errc::cancelled, {}});
        return sums.status;
    });
}

}  // namespace

verb ping_verb() {
    return {{.program = "mbus ping",
             .summary = "measure the way to each entity that matches ADDRESS and back",
             .synopsis = {"[options] ADDRESS..."},
             .description = {"Sends mbus.ping() reliably to each, one after the other; the time is that of the acknowledgement. Status 3 when "
                             "nobody matches, 4 when one did not acknowledge."},
             .options = {{.letter = 'n', .name = "count", .takes = operand::count, .placeholder = "N", .help = "rounds (3)"},
                         {.letter = 'i', .name = "interval", .takes = operand::duration, .placeholder = "TIME", .help = "from round to round (1 s)"},
                         timeout_option("limit for each answer (10 s)"), as_option("be this entity meanwhile ((module:mbus))"),
                         json_option("one JSON line per answer"), quiet_option(), verbose_option(), socket_option()},
             .words = operand::address,
             .word_choices = {},
             .words_min = 1,
             .words_max = 1000,
             .examples = {{"mbus ping app:player", "three times"},
                          {"mbus ping -n 1 '()'", "everyone, once"},
                          {"mbus ping -n 100 -i 0.1 app:player", "ten times a second"},
                          {"mbus ping -j -n 1 media:audio", "as JSON lines"},
                          {"mbus ping -q -n 1 app:player > /dev/null", "only the status"}}},
            run};
}

}  // namespace mbus::tools
