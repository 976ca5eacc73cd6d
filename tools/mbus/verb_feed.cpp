// mbus feed: the feeds of publish-subscribe on this host's daemon: reading them, and posting to them.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>

#include <fmt/format.h>
#include <mbus_json/message_json.hpp>

#include "cli/daemon_requests.hpp"
#include "cli/text.hpp"
#include "mbus/opened.hpp"
#include "mbus/verbs.hpp"
#include "message/nearest.hpp"
#include "message/text.hpp"

namespace mbus::tools {
namespace {

// More than any daemon takes; what is no text ends here.
constexpr std::size_t entry_octets_max = 16 * 1024 * 1024;

std::string_view host_of(const address& whom) {
    const auto id = whom.find("id").value_or("");
    const auto at = id.rfind('@');
    return at == std::string_view::npos ? std::string_view{} : id.substr(at + 1);
}

// This host's service, else the only one on the bus.
result<address> service_of(opened& on) {
    auto found = on.bus.await(on.bus.bus().peers("(service:pubsub)"), on.limit);
    if (!found) return std::move(found).error();
    for (const auto& one : *found) {
        if (host_of(one.address) == host_of(on.me->address())) return one.address;
    }
    if (found->size() == 1) return found->front().address;
    return {errc::not_found, "no publish-subscribe on this host; set gateway.enabled = true or pubsub.run = \"always\" in mbusd.toml"};
}

result<value::list> ask(opened& on, std::string name, value::list arguments) {
    auto service = service_of(on);
    if (!service) return std::move(service).error();
    auto answer = on.bus.await(on.me->request(*service, command{std::move(name), std::move(arguments)}, on.limit), on.limit);
    if (!answer) return std::move(answer).error();
    return std::move(answer->results);
}

std::string time_text(std::int64_t ms) {
    const auto when = static_cast<std::time_t>(ms / 1000);
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string row_json(const value::list& row, std::span<const std::string_view> names) {
    std::string line = R"({"v":1)";
    for (const auto name : names) {
        line += fmt::format(",\"{}\":", name);
        if (const auto number = number_at(row, name)) line += fmt::format("{}", *number);
        else json::append_string(line, text_at(row, name));
    }
    return line + "}";
}

// Asks for page after page; `visit` says false when nobody reads any more.
exit_code each_row(opened& on, const std::string& name, const value::list& before, std::string_view rows,
                   const std::function<bool(const value::list&)>& visit) {
    for (std::int64_t from = 0;;) {
        auto arguments = before;
        arguments.emplace_back(from);
        const auto answer = ask(on, name, std::move(arguments));
        if (!answer) return on.fail(answer.error());
        for (const auto& one : list_at(*answer, rows)) {
            const auto* row = one.get_if<value::list>();
            if (row != nullptr && !visit(*row)) return exit_code::ok;
        }
        const auto next = number_at(*answer, "next").value_or(0);
        if (next <= from) return exit_code::ok;
        from = next;
    }
}

exit_code list_feeds(opened& on, bool json) {
    static constexpr std::array<std::string_view, 4> names{"node", "title", "creator", "type"};
    return each_row(on, "feed.list", {}, "nodes", [&](const value::list& row) {
        if (json) return on.out.line(row_json(row, names));
        return on.out.line(printable(fmt::format("{:<24}  {:<28}  {}", text_at(row, "node"), text_at(row, "creator"), text_at(row, "title"))));
    });
}

exit_code list_entries(opened& on, const std::string& node, bool json) {
    static constexpr std::array<std::string_view, 5> names{"item", "title", "publisher", "edited-ms", "octets"};
    return each_row(on, "feed.items", {value{node}}, "items", [&](const value::list& row) {
        if (json) return on.out.line(row_json(row, names));
        return on.out.line(printable(fmt::format("{}  {:<24}  {}", time_text(number_at(row, "edited-ms").value_or(0)), text_at(row, "item"),
                                                 text_at(row, "title"))));
    });
}

exit_code show(opened& on, const std::string& node, const std::string& item) {
    const auto answer = ask(on, "feed.item", {value{node}, value{item}});
    if (!answer) return on.fail(answer.error());
    const auto* payload = value_at(*answer, "payload");
    const auto* octets = payload == nullptr ? nullptr : payload->get_if<data>();
    if (octets != nullptr) on.out.line(octets->view());
    return exit_code::ok;
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<') out += "&lt;";
        else if (c == '>') out += "&gt;";
        else if (c == '&') out += "&amp;";
        else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
    return out;
}

std::string fresh_uuid() {
    std::array<unsigned char, 16> octets{};
    if (::getrandom(octets.data(), octets.size(), 0) != static_cast<ssize_t>(octets.size())) return {};
    octets[6] = static_cast<unsigned char>((octets[6] & 0x0F) | 0x40);
    octets[8] = static_cast<unsigned char>((octets[8] & 0x3F) | 0x80);
    std::string out;
    for (std::size_t i = 0; i < octets.size(); ++i) out += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", octets.at(i));
    return out;
}

// What was read is an entry, or the text of one.
std::string entry_of(const std::string& text, const std::string& title) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (title.empty() && first != std::string::npos && text[first] == '<') return text;
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    const auto line = text.substr(0, text.find('\n'));
    return fmt::format("<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:uuid:{}</id><title>{}</title><updated>{}</updated>"
                       "<content>{}</content></entry>",
                       fresh_uuid(), escaped(title.empty() ? line : title), time_text(now), escaped(text));
}

result<std::string> read_all(const std::string& file) {
    const std::string name = file == "-" ? "the standard input" : file;
    std::ifstream opened;
    if (file != "-") opened.open(file, std::ios::binary);
    auto& from = file == "-" ? std::cin : static_cast<std::istream&>(opened);
    std::string out{std::istreambuf_iterator<char>{from}, {}};
    if (file != "-" && !opened.is_open()) return {errc::not_found, fmt::format("{} can't be read", name)};
    if (out.size() > entry_octets_max) return {errc::too_large, fmt::format("{} is larger than any entry may be", name)};
    if (!text::is_utf8(out)) return {errc::bad_argument, fmt::format("{} is no text in UTF-8; convert it first, by iconv for instance", name)};
    if (out.find_first_not_of(" \t\r\n") == std::string::npos) return {errc::bad_argument, fmt::format("{} is empty; give an entry or a text", name)};
    return out;
}

exit_code post(opened& on, const arguments& args) {
    const auto& words = args.words();
    const auto text = read_all(words.size() > 2 ? words[2] : "-");
    if (!text) return on.fail(text.error());
    const auto answer = ask(on, "atom.publish", {value{words[1]}, value{args.text("item").value_or("")},
                                                 value{data{entry_of(*text, args.text("title").value_or(""))}}});
    if (!answer) return on.fail(answer.error());
    on.out.line(printable(text_at(*answer, "item")));
    return exit_code::ok;
}

exit_code change(opened& on, std::string name, value::list arguments) {
    const auto answer = ask(on, std::move(name), std::move(arguments));
    return answer ? exit_code::ok : on.fail(answer.error());
}

exit_code create(opened& on, const arguments& args) {
    const auto& words = args.words();
    value::list publishers;
    for (const auto& name : args.all("publisher")) publishers.emplace_back(name);
    return change(on, "feed.create", {value{words[1]}, value{words.size() > 2 ? words[2] : std::string{}}, value{std::move(publishers)}});
}

// What is wrong with the words and the options together; empty when nothing is.
std::string contradiction(const arguments& args) {
    struct form {
        std::string_view name;
        std::size_t least;
        std::size_t most;
        std::string_view usage;
    };
    static constexpr std::array<form, 5> forms{{{"ls", 1, 2, "ls [NODE]"},
                                                {"show", 3, 3, "show NODE ITEM"},
                                                {"post", 2, 3, "post NODE [FILE]"},
                                                {"rm", 2, 3, "rm NODE [ITEM]"},
                                                {"create", 2, 3, "create NODE [TITLE]"}}};
    const auto& words = args.words();
    const auto found = std::ranges::find(forms, words.front(), &form::name);
    if (found == forms.end()) {
        std::vector<std::string_view> names;
        for (const auto& each : forms) names.push_back(each.name);
        const auto near = text::nearest(words.front(), names);
        return fmt::format("unknown word '{}'; {}", words.front(),
                           near ? fmt::format("did you mean mbus feed {}?", *near) : "expected ls, show, post, rm or create");
    }
    if (words.size() < found->least || words.size() > found->most) return fmt::format("usage: mbus feed {}", found->usage);
    if (words.front() != "post" && (args.has("title") || args.has("item"))) return "--title and --item are for mbus feed post";
    if (words.front() != "create" && args.has("publisher")) return "--publisher is for mbus feed create";
    return args.has("json") && words.front() != "ls" ? fmt::format("--json means nothing to mbus feed {}", words.front()) : "";
}

exit_code run(const arguments& args, output& out) {
    if (auto wrong = contradiction(args); !wrong.empty()) return usage_failure(out, {errc::bad_argument, std::move(wrong)});
    const auto& words = args.words();
    return with_entity(args, out, [&](opened& on) {
        const auto& what = words.front();
        const bool more = words.size() > 2;
        if (what == "ls") return words.size() == 1 ? list_feeds(on, args.has("json")) : list_entries(on, words[1], args.has("json"));
        if (what == "show") return show(on, words[1], words[2]);
        if (what == "post") return post(on, args);
        if (what == "create") return create(on, args);
        return more ? change(on, "atom.retract", {value{words[1]}, value{words[2]}}) : change(on, "feed.remove", {value{words[1]}});
    });
}

}  // namespace

verb feed_verb() {
    return {{.program = "mbus feed",
             .summary = "read feeds, post entries to them and remove them",
             .synopsis = {"ls [-j] [NODE]", "show NODE ITEM", "post [-t TITLE] [-i ITEM] NODE [FILE]", "rm NODE [ITEM]", "create [-p NAME] NODE [TITLE]"},
             .description = {"ls lists the feeds, or the entries of one, newest first; show prints an entry as it is stored. post publishes an "
                             "entry from FILE or the standard input and prints its id: Atom XML as it is, any other text as the content of "
                             "a new entry whose title is its first line. With the id of an entry that exists it becomes that entry's new "
                             "version. The first to post to a node makes it and owns it. rm removes an entry, or the feed with all of them. "
                             "create makes a feed that you own; who else may publish there, such as a client that posts over HTTP, is named by "
                             "--publisher."},
             .options = {{.letter = 't', .name = "title", .takes = operand::text, .placeholder = "TITLE", .help = "post: the title; what is read is then text"},
                         {.letter = 'i', .name = "item", .takes = operand::text, .placeholder = "ITEM", .help = "post: the id (one of its own)"},
                         {.letter = 'p', .name = "publisher", .takes = operand::text, .placeholder = "NAME", .help = "create: a client or user who may publish too; repeatable", .repeatable = true},
                         timeout_option("limit for the answer (10 s)"), as_option("be this entity meanwhile ((module:mbus))"),
                         json_option("ls: as JSON lines; times in ms since 1970"), quiet_option(), verbose_option(), socket_option()},
             .words = operand::choice,
             .word_choices = {"ls", "show", "post", "rm", "create"},
             .words_min = 1,
             .words_max = 3,
             .examples = {{"mbus feed ls news", "what is in a feed; without its name: which there are"},
                          {"echo 'The mill is running' | mbus feed post news", "a short note"},
                          {"mbus feed post -i status -t 'All is well' news note.txt", "an entry that is replaced each time"},
                          {"mbus feed create -p reporter news 'The news'", "the client reporter may publish, too"},
                          {"mbus feed rm news status", "take it back"}}},
            run};
}

}  // namespace mbus::tools
