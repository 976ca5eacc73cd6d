// mbus doctor: collects the facts; doctor_checks.cpp concludes.
#include <algorithm>
#include <chrono>

#include <pwd.h>
#include <sys/timex.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/daemon_requests.hpp"
#include "config/session_file.hpp"
#include "mbus/doctor_checks.hpp"
#include "mbus/key_files.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

using namespace std::chrono_literals;

// Long enough for two hellos of somebody with another key.
constexpr std::chrono::milliseconds observed = 2500ms;

std::string user_name() {
    const auto* entry = getpwuid(geteuid());
    return entry != nullptr ? entry->pw_name : std::to_string(geteuid());
}

value::list answer_or_nothing(session& bus, entity& me, std::string_view question, std::chrono::milliseconds limit) {
    auto answer = ask_daemon(bus, me, question, limit);
    return answer ? std::move(*answer) : value::list{};
}

void ask_everything(daemon_facts& facts, session& bus, entity& me, std::chrono::milliseconds limit) {
    facts.status = answer_or_nothing(bus, me, "mbusd.status", limit);
    if (facts.status.empty()) return;
    facts.rights = answer_or_nothing(bus, me, "mbusd.rights", limit);
    facts.interfaces = answer_or_nothing(bus, me, "mbusd.interfaces", limit);
    facts.counters = answer_or_nothing(bus, me, "mbusd.counters", limit);
    const auto start = std::chrono::steady_clock::now();
    bus.run([] { return false; }, start + observed);
    facts.between = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    facts.counters_later = answer_or_nothing(bus, me, "mbusd.counters", limit);
    facts.status = answer_or_nothing(bus, me, "mbusd.status", limit);
}

// The daemon's own key file, where it tells; else the one that this user would use.
std::string daemon_key_file(session& bus, entity& me, std::chrono::milliseconds limit) {
    const auto config = ask_daemon(bus, me, "mbusd.config", limit);
    if (!config) return {};
    for (const auto& one : list_at(*config, "keys")) {
        const auto* row = one.get_if<value::list>();
        if (row == nullptr || row->size() < 2) continue;
        const auto* key = (*row)[0].get_if<std::string>();
        const auto* text = (*row)[1].get_if<std::string>();
        if (key == nullptr || text == nullptr || *key != "bus.key_file") continue;
        // As TOML writes it: "/etc/mbusd/mbus.conf"
        return text->size() > 2 && text->front() == '"' ? text->substr(1, text->size() - 2) : std::string{};
    }
    return {};
}

key_facts look_at_key(const std::string& named) {
    key_facts facts;
    const auto path = named.empty() ? key_file_in_use() : result<std::string>{named};
    if (!path) {
        facts.failure = path.error().text;
        return facts;
    }
    facts.path = *path;
    if (access(path->c_str(), R_OK) != 0 && access(path->c_str(), F_OK) == 0) {
        facts.unreadable = true;
        return facts;
    }
    const auto config = mbusd::load_session_file(*path);
    if (!config) {
        facts.failure = config.error().text;
        return facts;
    }
    facts.text = describe_key(*config);
    facts.fingerprint = protocol::key_fingerprint(*config);
    facts.modern = is_modern(*config);
    facts.encrypted = config->cipher != protocol::cipher_algorithm::none;
    return facts;
}

clock_facts look_at_clock() {
    clock_facts facts;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    facts.now_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
    timex state{};
    const int answer = adjtimex(&state);
    // A container may not be allowed to ask.
    if (answer >= 0) facts.synchronised = answer != TIME_ERROR && (static_cast<unsigned>(state.status) & STA_UNSYNC) == 0;
    return facts;
}

exit_code run(const arguments& args, output& out) {
    signals events;
    const auto limit = args.duration("timeout").value_or(default_limit);
    mbus::connect_options options;
    options.operation_limit = limit;
    options.reconnect.enabled = false;
    daemon_facts facts;
    facts.socket = args.text("socket").value_or(mbus::default_socket());
    facts.user = user_name();
    std::string key_file;
    auto bus = session::open(args, events, options);
    if (!bus) {
        facts.failure = bus.error().text;
        facts.refused = exit_code_of(bus.error().code) == exit_code::refused;
    } else if (auto me = bus->await(bus->bus().attach("(module:mbus-doctor)"), limit); !me) {
        facts.attach_refused = me.error().text;
    } else {
        ask_everything(facts, *bus, *me, limit);
        key_file = daemon_key_file(*bus, *me, limit);
    }
    if (events.caught() != 0) return report(out, events, {errc::cancelled, {}});
    auto status = exit_code::ok;
    for (const auto& one : examine(facts, look_at_key(key_file), look_at_clock())) {
        out.line(args.has("json") ? check_json(one) : check_text(one));
        if (one.found == verdict::failed) status = exit_code::failed;
    }
    return status;
}

}  // namespace

verb doctor_verb() {
    return {{.program = "mbus doctor",
             .summary = "check daemon, rights, key, interfaces and clock, and say how to fix what is wrong",
             .synopsis = {"[options]"},
             .description = {"Checks: daemon reachable, rights, key file, interfaces joined, loop-back heard, IPv6, peers with another key, MTU, clock. "
                             "Listens for 2.5 s. Status 1 when something failed; warnings are no failure."},
             .options = {timeout_option("limit for each of the daemon's answers (10 s)"), json_option("one JSON line per check"), quiet_option(),
                         verbose_option(), socket_option()},
             .words = operand::none,
             .word_choices = {},
             .words_min = 0,
             .words_max = 0,
             .examples = {{"mbus doctor", "everything"},
                          {"sudo mbus doctor", "also the key file of the system's daemon"},
                          {"mbus doctor -j | jq 'select(.status != \"ok\")'", "only what is wrong"},
                          {"mbus doctor --socket build/run/mbusd.sock", "the daemon of a source tree"},
                          {"mbus doctor > /dev/null || echo broken", "only the status"}}},
            run};
}

}  // namespace mbus::tools
