// mbus link: the links of this host's daemon to others (docs/links.md).
#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/daemon_requests.hpp"
#include "cli/text.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

constexpr std::string_view texts[]{"name", "url", "role", "state", "broker", "reason"};
constexpr std::string_view numbers[]{"shown", "hosted", "queued", "sent", "received", "refused", "dropped", "unseen", "resumes"};

std::string row_json(const value::list& row) {
    std::string line = R"({"v":1)";
    for (const auto key : texts) {
        line += fmt::format(R"(,"{}":)", key);
        json::append_string(line, text_at(row, key));
    }
    for (const auto key : numbers) line += fmt::format(R"(,"{}":{})", key, number_at(row, key).value_or(0));
    return line + '}';
}

std::string row_text(const value::list& row) {
    const auto count = [&](std::string_view key) { return number_at(row, key).value_or(0); };
    const auto url = text_at(row, "url");
    const auto broker = text_at(row, "broker");
    auto line = fmt::format("{:<16}  {:<8}  {}  broker {}  entities {} there {} here  queued {} sent {} received {} dropped {}",
                            text_at(row, "name"), text_at(row, "state"), url.empty() ? "(it calls)" : url,
                            broker.empty() ? "-" : broker, count("shown"), count("hosted"), count("queued"), count("sent"),
                            count("received"), count("dropped"));
    if (const auto reason = text_at(row, "reason"); !reason.empty()) line += fmt::format("  ({})", reason);
    return line;
}

exit_code list(opened& on, const arguments& args) {
    const auto shown = each_row(on.bus, *on.me, "mbusd.links", "links", on.limit, [&](const value::list& row) {
        return on.out.line(args.has("json") ? row_json(row) : printable(row_text(row)));
    });
    return shown ? exit_code::ok : on.fail(shown.error());
}

exit_code run(const arguments& args, output& out) {
    if (args.words().front() != "ls") {
        return usage_failure(out, {errc::bad_argument, fmt::format("unknown word '{}'; expected ls", args.words().front())});
    }
    return with_entity(args, out, [&](opened& on) { return list(on, args); });
}

}  // namespace

verb link_verb() {
    return {{.program = "mbus link",
             .summary = "show the links to other daemons",
             .synopsis = {"ls [-j]"},
             .description = {"One line for each link: its name and state, the daemon at the other end, how many entities of this side take part "
                             "there and of that side here, what waits, went over, came and was dropped, and why it is down. 'standby' and a reason: "
                             "the two buses are joined already on another way. Links are set up in mbusd.toml ([[link]]). Needs the right to administer."},
             .options = {timeout_option("limit for the daemon's answer (10 s)"), json_option("as JSON lines"), quiet_option(), verbose_option(),
                         socket_option()},
             .words = operand::choice,
             .word_choices = {"ls"},
             .words_min = 1,
             .words_max = 1,
             .examples = {{"mbus link ls", "the links and how they are"},
                          {"mbus link ls -j", "the same for programs"},
                          {"mbus link ls -j | jq -r 'select(.state!=\"active\").name'", "those that are not up"},
                          {"mbus link ls -W 2", "give up after two seconds"},
                          {"watch mbus link ls", "again and again"}}},
            run};
}

}  // namespace mbus::tools
