// mbus peers: who is on the bus, on all hosts.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/daemon_requests.hpp"
#include "cli/duration.hpp"
#include "cli/text.hpp"
#include "cli/words.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

// One row of the table. What the daemon does not tell is empty.
struct row {
    address who;
    bool local = false;
    std::string where;  // program and user, or the endpoint of another host
    std::optional<std::chrono::milliseconds> age;
    std::optional<std::chrono::milliseconds> heard;
};

std::optional<std::chrono::milliseconds> time_at(const value::list& pairs, std::string_view name) {
    const auto number = number_at(pairs, name);
    return number ? std::optional{std::chrono::milliseconds{*number}} : std::nullopt;
}

row row_of(address who, const value::list& details) {
    row made{std::move(who), number_at(details, "local") == 1, text_at(details, "endpoint"), time_at(details, "age-ms"),
             time_at(details, "heard-ms")};
    if (made.local) {
        made.where = text_at(details, "name");
        if (const auto user = text_at(details, "user"); !user.empty()) made.where += fmt::format("{}({})", made.where.empty() ? "" : " ", user);
    }
    return made;
}

// What the daemon knows about each entity, page by page.
result<std::map<std::string, value::list>> details_of_all(opened& on) {
    std::map<std::string, value::list> details;
    std::int64_t from = 0;
    do {
        auto page = ask_daemon(on.bus, *on.me, "mbusd.peers", on.limit, {from});
        if (!page) return std::move(page).error();
        for (const auto& one : list_at(*page, "peers")) {
            const auto* pairs = one.get_if<value::list>();
            if (pairs != nullptr) details.emplace(text_at(*pairs, "address"), *pairs);
        }
        from = number_at(*page, "next").value_or(0);
    } while (from > 0);
    return details;
}

std::string row_json(const row& one) {
    std::string line = R"({"v":1,"entity":)";
    json::append_address(line, one.who);
    line += fmt::format(",\"state\":\"{}\",\"where\":", one.local ? "local" : "present");
    json::append_string(line, one.where);
    line += one.age ? fmt::format(",\"age\":{}", one.age->count()) : ",\"age\":null";
    line += one.heard ? fmt::format(",\"heard\":{}", one.heard->count()) : ",\"heard\":null";
    return line + "}";
}

void print_table(const std::vector<row>& rows, output& out) {
    std::size_t width = 7;
    for (const auto& one : rows) width = std::max(width, one.who.text().size());
    out.line(fmt::format("{:<{}}  {:<7}  {:<8}  {}", "ADDRESS", width, "STATE", "AGE", "WHERE"));
    for (const auto& one : rows) {
        out.line(fmt::format("{:<{}}  {:<7}  {:<8}  {}", one.who.text(), width, one.local ? "local" : "present",
                             one.age ? format_duration(*one.age) : "-", printable(one.where)));
    }
}

// For the completion: every element once.
void print_elements(const std::vector<peer>& found, output& out) {
    std::set<std::string> elements;
    for (const auto& one : found) {
        for (const auto element : one.address) elements.insert(fmt::format("{}:{}", element.tag, element.value));
    }
    for (const auto& one : elements) out.line(one);
}

exit_code list(opened& on, const arguments& args, const address& pattern) {
    auto found = on.bus.await(on.bus.bus().peers(pattern), on.limit);
    if (!found) return on.fail(found.error());
    std::erase_if(*found, [&](const peer& one) { return on.me != nullptr && one.address == on.me->address(); });
    if (found->empty()) on.out.note(fmt::format("nobody matches {}", pattern.text()));
    if (args.has("elements")) {
        print_elements(*found, on.out);
        return exit_code::ok;
    }
    auto details = details_of_all(on);
    if (!details) {
        if (details.error().code == errc::cancelled) return on.fail(details.error());
        on.out.detail(fmt::format("the daemon tells no more: {}", details.error().text));
    }
    std::vector<row> rows;
    for (auto& one : *found) {
        const auto known = details ? details->find(std::string{one.address.text()}) : decltype(details->end()){};
        rows.push_back(row_of(std::move(one.address), details && known != details->end() ? known->second : value::list{}));
    }
    std::ranges::sort(rows, {}, &row::who);
    if (args.has("json")) {
        for (const auto& one : rows) on.out.line(row_json(one));
    } else if (!rows.empty()) {
        print_table(rows, on.out);
    }
    return exit_code::ok;
}

exit_code run(const arguments& args, output& out) {
    const auto pattern = read_address(args.words());
    if (!pattern) return out.fail(pattern.error());
    const auto what = [&](opened& on) { return list(on, args, *pattern); };
    return args.has("elements") ? with_connection(args, out, what) : with_entity(args, out, what);
}

}  // namespace

verb peers_verb() {
    return {{.program = "mbus peers",
             .summary = "list who is on the bus",
             .synopsis = {"[options] [ADDRESS...]"},
             .description = {"Entities of this host (state local) and of others (present), with the time since they were attached or first heard. With ADDRESS "
                             "only those that match."},
             .options = {{.name = "elements", .help = "only the attributes, each once", .excludes = {"json"}},
                         timeout_option("limit for the daemon's answers (10 s)"), json_option("one JSON line per entity; age and heard in ms"),
                         quiet_option(), verbose_option(), socket_option()},
             .words = operand::address,
             .word_choices = {},
             .words_min = 0,
             .words_max = 1000,
             .examples = {{"mbus peers", "everyone"},
                          {"mbus peers media:audio", "with this attribute"},
                          {"mbus peers -j | jq -r .entity.app", "the names of all applications"},
                          {"mbus peers --elements", "which attributes there are"},
                          {"mbus-listen -p", "and from now on: who comes and goes"}}},
            run};
}

}  // namespace mbus::tools
