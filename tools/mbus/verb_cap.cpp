// mbus cap: the capability URLs that clients have given away.
#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/daemon_requests.hpp"
#include "cli/text.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

std::string time_or(const value::list& row, std::string_view key, std::string_view otherwise) {
    const auto ms = number_at(row, key).value_or(0);
    return ms > 0 ? json::format_timestamp(static_cast<std::uint64_t>(ms)) : std::string{otherwise};
}

std::string row_json(const value::list& row) {
    std::string line = R"({"v":1,"id":)";
    json::append_string(line, text_at(row, "id"));
    line += ",\"entity\":";
    if (const auto who = address::parse(text_at(row, "entity"))) json::append_address(line, *who);
    else line += "null";
    line += ",\"commands\":";
    json::append_string(line, text_at(row, "commands"));
    for (const auto& [name, key] : {std::pair{"created", "created-ms"}, std::pair{"expires", "expires-ms"}, std::pair{"used", "used-ms"}}) {
        const auto time = time_or(row, key, "");
        line += fmt::format(",\"{}\":{}", name, time.empty() ? "null" : '"' + time + '"');
    }
    const auto uses = number_at(row, "uses-left");
    line += fmt::format(",\"uses_left\":{},\"durable\":{}", uses ? std::to_string(*uses) : "null", number_at(row, "durable") == 1);
    return line + "}";
}

std::string row_text(const value::list& row) {
    const auto commands = text_at(row, "commands");
    const auto uses = number_at(row, "uses-left");
    return fmt::format("{:<12}  {}  takes {}  expires {}  uses left {}", text_at(row, "id"), text_at(row, "entity"),
                       commands.empty() ? "*" : commands, time_or(row, "expires-ms", "with its session"),
                       uses ? std::to_string(*uses) : "any number");
}

exit_code list(opened& on, const arguments& args) {
    const auto shown = each_row(on.bus, *on.me, "mbusd.grants", "grants", on.limit, [&](const value::list& row) {
        return on.out.line(args.has("json") ? row_json(row) : printable(row_text(row)));
    });
    return shown ? exit_code::ok : on.fail(shown.error());
}

exit_code revoke(opened& on, const std::string& id) {
    const auto done = ask_daemon(on.bus, *on.me, "mbusd.grant-revoke", on.limit, {value{id}});
    if (!done) return on.fail(done.error());
    on.out.note(fmt::format("the capability URL {} is withdrawn", id));
    return exit_code::ok;
}

exit_code run(const arguments& args, output& out) {
    const auto& words = args.words();
    const bool lists = words.front() == "ls";
    if (!lists && words.front() != "revoke") {
        return usage_failure(out, {errc::bad_argument, fmt::format("unknown word '{}'; expected ls or revoke", words.front())});
    }
    if (lists != (words.size() == 1)) {
        return usage_failure(out, {errc::bad_argument, lists ? "mbus cap ls takes no ID" : "the ID is missing; usage: mbus cap revoke ID"});
    }
    if (!lists && args.has("json")) return usage_failure(out, {errc::bad_argument, "--json means nothing to mbus cap revoke"});
    return with_entity(args, out, [&](opened& on) { return lists ? list(on, args) : revoke(on, words[1]); });
}

}  // namespace

verb cap_verb() {
    return {{.program = "mbus cap",
             .summary = "list and withdraw capability URLs",
             .synopsis = {"ls [-j]", "revoke ID"},
             .description = {"A capability URL lets others reach a client over HTTP. ls shows for each its ID, the entity, the commands that "
                             "it takes, and how long and how often; never the URL itself, of which the daemon keeps a hash only. Needs the right "
                             "to administer."},
             .options = {timeout_option("limit for the daemon's answer (10 s)"), json_option("ls: one JSON line for each"), quiet_option(),
                         verbose_option(), socket_option()},
             .words = operand::choice,
             .word_choices = {"ls", "revoke"},
             .words_min = 1,
             .words_max = 2,
             .examples = {{"mbus cap ls", "all capability URLs"},
                          {"mbus cap ls -j | jq -r .id", "their IDs"},
                          {"mbus cap revoke 88a125d69147", "withdraw one; it is 404 from now on"},
                          {"mbus cap ls -j | jq -r 'select(.entity.app==\"door\").id'", "those of one application"},
                          {"mbus cap ls -j | jq 'select(.expires==null)'", "those that live as long as their session"}}},
            run};
}

}  // namespace mbus::tools
