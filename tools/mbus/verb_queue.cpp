// mbus queue: the durable queues of this host's daemon: what waits in them, and removing it.
#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/daemon_requests.hpp"
#include "cli/duration.hpp"
#include "cli/text.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"
#include "message/nearest.hpp"

namespace mbus::tools {
namespace {

constexpr std::int64_t peek_count = 10;
constexpr std::array<std::string_view, 13> queue_numbers{"waiting",     "taken", "octets",  "readers", "oldest-ms", "added", "done",
                                                         "redelivered", "dead",  "expired", "refused", "dropped",   "purged"};

std::string age_text(const value::list& row, std::string_view key) {
    return format_duration(std::chrono::milliseconds{number_at(row, key).value_or(0)});
}

std::string queue_json(const value::list& row) {
    std::string line = R"({"v":1,"queue":)";
    json::append_string(line, text_at(row, "name"));
    line += R"(,"entity":)";
    json::append_string(line, text_at(row, "entity"));
    for (const auto key : queue_numbers) {
        line += fmt::format(R"(,"{}":{})", key, number_at(row, key).value_or(0));
    }
    return line + "}";
}

std::string queue_text(const value::list& row) {
    const auto count = [&](std::string_view key) { return number_at(row, key).value_or(0); };
    return printable(fmt::format("{:<20}  {:>8}  {:>8}  {:>7}  {:>10}  {:<8}  {:>6}  {}", text_at(row, "name"), count("waiting"), count("taken"),
                                 count("readers"), count("octets"), count("waiting") + count("taken") == 0 ? "-" : age_text(row, "oldest-ms"),
                                 count("dead") + count("expired") + count("refused") + count("dropped"), text_at(row, "entity")));
}

exit_code list(opened& on, const arguments& args) {
    if (!args.has("json")) {
        on.out.line(fmt::format("{:<20}  {:>8}  {:>8}  {:>7}  {:>10}  {:<8}  {:>6}  {}", "QUEUE", "WAITING", "TAKEN", "READERS", "OCTETS", "OLDEST",
                                "LOST", "ENTITY"));
    }
    const auto shown = each_row(on.bus, *on.me, "mbusd.queues", "queues", on.limit, [&](const value::list& row) {
        return on.out.line(args.has("json") ? queue_json(row) : queue_text(row));
    });
    return shown ? exit_code::ok : on.fail(shown.error());
}

std::string job_json(const value::list& row) {
    std::string line = fmt::format(R"({{"v":1,"job":{})", number_at(row, "job").value_or(0));
    for (const std::string_view key : {"from", "to", "type", "body"}) {
        line += fmt::format(R"(,"{}":)", key);
        json::append_string(line, text_at(row, key));
    }
    return line + fmt::format(R"(,"tries":{},"taken":{},"age":{},"octets":{}}})", number_at(row, "tries").value_or(0),
                              number_at(row, "taken").value_or(0) != 0, number_at(row, "age-ms").value_or(0), number_at(row, "octets").value_or(0));
}

std::string job_text(const value::list& row) {
    const bool taken = number_at(row, "taken").value_or(0) != 0;
    return printable(fmt::format("{:>8}  {:<8}  {} tries{}  {}  {}", number_at(row, "job").value_or(0), age_text(row, "age-ms"),
                                 number_at(row, "tries").value_or(0), taken ? ", with a reader" : "", text_at(row, "from"), text_at(row, "body")));
}

exit_code peek(opened& on, const arguments& args, const std::string& name) {
    auto left = static_cast<std::int64_t>(args.count("count").value_or(peek_count));
    std::int64_t from = 0;
    while (left > 0) {
        const auto answer = ask_daemon(on.bus, *on.me, "mbusd.queue-peek", on.limit, {value{name}, value{from}});
        if (!answer) return on.fail(answer.error());
        for (const auto& one : list_at(*answer, "jobs")) {
            const auto* row = one.get_if<value::list>();
            if (row == nullptr || left-- <= 0) continue;
            if (!on.out.line(args.has("json") ? job_json(*row) : job_text(*row))) return exit_code::ok;
        }
        const auto next = number_at(*answer, "next").value_or(0);
        if (next <= from) break;
        from = next;
    }
    return exit_code::ok;
}

exit_code purge(opened& on, const std::string& name) {
    const auto done = ask_daemon(on.bus, *on.me, "mbusd.queue-purge", on.limit, {value{name}});
    if (!done) return on.fail(done.error());
    on.out.note(fmt::format("{} jobs dropped; {} are with readers", number_at(*done, "purged").value_or(0), number_at(*done, "taken").value_or(0)));
    return exit_code::ok;
}

exit_code remove(opened& on, const std::string& name) {
    const auto done = ask_daemon(on.bus, *on.me, "mbusd.queue-remove", on.limit, {value{name}});
    if (!done) return on.fail(done.error());
    on.out.note(fmt::format("queue {} is gone, with {} jobs", name, number_at(*done, "removed").value_or(0)));
    return exit_code::ok;
}

// What is wrong with the words and the options together; empty when nothing is.
std::string contradiction(const arguments& args) {
    const auto& words = args.words();
    const std::array<std::string_view, 4> names{"ls", "peek", "purge", "rm"};
    if (std::ranges::find(names, words.front()) == names.end()) {
        const auto near = text::nearest(words.front(), names);
        return fmt::format("unknown word '{}'; {}", words.front(),
                           near ? fmt::format("did you mean mbus queue {}?", *near) : "expected ls, peek, purge or rm");
    }
    const bool takes_name = words.front() != "ls";
    if (takes_name != (words.size() == 2)) {
        return takes_name ? fmt::format("the NAME is missing; usage: mbus queue {} NAME", words.front()) : "mbus queue ls takes no NAME";
    }
    if (args.has("count") && words.front() != "peek") return fmt::format("--count means nothing to mbus queue {}", words.front());
    const bool changes = words.front() == "purge" || words.front() == "rm";
    return changes && args.has("json") ? fmt::format("--json means nothing to mbus queue {}", words.front()) : "";
}

exit_code run(const arguments& args, output& out) {
    if (auto wrong = contradiction(args); !wrong.empty()) return usage_failure(out, {errc::bad_argument, std::move(wrong)});
    const auto& words = args.words();
    return with_entity(args, out, [&](opened& on) {
        if (words.front() == "ls") return list(on, args);
        if (words.front() == "peek") return peek(on, args, words[1]);
        return words.front() == "purge" ? purge(on, words[1]) : remove(on, words[1]);
    });
}

}  // namespace

verb queue_verb() {
    return {{.program = "mbus queue",
             .summary = "look into durable queues, empty and remove them",
             .synopsis = {"ls [-j]", "peek [-n COUNT] [-j] NAME", "purge NAME", "rm NAME"},
             .description = {"A queue is made by the first program that reads it, and outlives its readers and the daemon. ls lists them: jobs "
                             "that wait, that readers have and have not acknowledged, and that were lost (dead, expired or not taken for "
                             "want of room). peek shows the oldest jobs and takes nothing out. purge drops what waits; rm removes the queue with "
                             "all that is in it. What five readers failed at is in NAME.dead. Needs the right to administer."},
             .options = {{.letter = 'n', .name = "count", .takes = operand::count, .placeholder = "COUNT", .help = "peek: at most COUNT jobs (10)"},
                         timeout_option("limit for the daemon's answer (10 s)"), json_option("ls, peek: as JSON lines; ages in ms"), quiet_option(),
                         verbose_option(), socket_option()},
             .words = operand::choice,
             .word_choices = {"ls", "peek", "purge", "rm"},
             .words_min = 1,
             .words_max = 2,
             .examples = {{"mbus queue ls", "which queues there are, and how long their jobs wait"},
                          {"mbus queue peek -n 3 orders", "the three oldest jobs"},
                          {"mbus queue peek orders.dead", "what no reader could do"},
                          {"mbus queue purge orders.dead", "drop it"},
                          {"mbus queue rm orders", "the queue goes, with its jobs"}}},
            run};
}

}  // namespace mbus::tools
