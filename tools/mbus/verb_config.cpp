// mbus config show: the configuration that the daemon runs with, and where each key comes from.
#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/daemon_requests.hpp"
#include "cli/text.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

std::string key_json(const std::string& key, const std::string& text, const std::string& origin) {
    std::string line = R"({"v":1,"key":)";
    json::append_string(line, key);
    line += ",\"value\":";
    json::append_string(line, text);
    line += ",\"origin\":";
    json::append_string(line, origin);
    return line + "}";
}

std::string field(const value::list& row, std::size_t index) {
    const auto* text = index < row.size() ? row[index].get_if<std::string>() : nullptr;
    return text != nullptr ? *text : std::string{};
}

exit_code show(opened& on, const arguments& args) {
    const auto answer = ask_daemon(on.bus, *on.me, "mbusd.config", on.limit);
    if (!answer) return on.fail(answer.error());
    for (const auto& one : list_at(*answer, "keys")) {
        const auto* row = one.get_if<value::list>();
        if (row == nullptr) continue;
        const auto key = field(*row, 0);
        const auto text = field(*row, 1);
        const auto origin = field(*row, 2);
        if (args.has("json")) on.out.line(key_json(key, text, origin));
        else if (args.has("origin")) on.out.line(printable(fmt::format("{} = {}  # {}", key, text, origin)));
        else on.out.line(printable(fmt::format("{} = {}", key, text)));
    }
    return exit_code::ok;
}

exit_code run(const arguments& args, output& out) {
    if (args.words().front() != "show") {
        return usage_failure(out, {errc::bad_argument, fmt::format("unknown word '{}'; usage: mbus config show [--origin]", args.words().front())});
    }
    return with_entity(args, out, [&](opened& on) { return show(on, args); });
}

}  // namespace

verb config_verb() {
    return {{.program = "mbus config",
             .summary = "print the configuration that the daemon runs with",
             .synopsis = {"show [options]"},
             .description = {"Needs the right to administer. To check a file before the daemon reads it: mbusd --check."},
             .options = {{.name = "origin", .help = "say for each key which line of which file it comes from"},
                         timeout_option("limit for the daemon's answer (10 s)"), json_option("one JSON line per key, with its origin"),
                         quiet_option(), verbose_option(), socket_option()},
             .words = operand::choice,
             .word_choices = {"show"},
             .words_min = 1,
             .words_max = 1,
             .examples = {{"mbus config show", "every key and its value"},
                          {"mbus config show --origin", "and where it comes from"},
                          {"mbus config show --origin | grep -v default", "only what a file sets"},
                          {"mbus config show -j", "as JSON lines"},
                          {"mbusd --check", "check the files, without a running daemon"}}},
            run};
}

}  // namespace mbus::tools
