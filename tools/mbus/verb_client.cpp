// mbus client: tokens for those who come through the gateway. The token is made here and shown once;
// the daemon gets its hash.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <fmt/format.h>
#include <mbus_json/message_json.hpp>
#include <unistd.h>

#include "cli/daemon_requests.hpp"
#include "cli/text.hpp"
#include "cli/words.hpp"
#include "config/client_token.hpp"
#include "mbus/opened.hpp"
#include "mbus/password.hpp"
#include "mbus/verbs.hpp"
#include "message/nearest.hpp"

namespace mbus::tools {
namespace {

constexpr std::int64_t seconds_per_day = 24 * 3600;
constexpr std::int64_t expiry_days_max = 36500;
constexpr std::array<std::string_view, 5> flags{"monitor", "administer", "block", "durable", "link"};

value pair(std::string_view key, value what) { return value::list{value{key}, std::move(what)}; }

result<value::list> patterns(const arguments& args, std::string_view option) {
    value::list out;
    for (const auto& text : args.all(option)) {
        const auto one = read_address(std::span{&text, 1});
        if (!one) return {errc::bad_argument, fmt::format("--{} {}: {}", option, text, describe(one.error()))};
        out.emplace_back(one->text());
    }
    return out;
}

// The options of `mbusd.client-add` (docs/daemon-commands.md).
result<value::list> wanted_rights(const arguments& args) {
    value::list out;
    for (const std::string_view option : {"attach", "send"}) {
        auto given = args.has(option) ? patterns(args, option) : result<value::list>{value::list{value{"()"}}};
        if (!given) return given.error();
        out.push_back(pair(option, std::move(*given)));
    }
    for (const auto flag : flags) {
        if (args.has(flag)) out.push_back(pair(flag, std::int64_t{1}));
    }
    if (const auto days = args.count("expires")) {
        if (*days > static_cast<std::uint64_t>(expiry_days_max)) return {errc::bad_argument, "--expires takes 1 to 36500 days"};
        out.push_back(pair("expires-seconds", static_cast<std::int64_t>(*days) * seconds_per_day));
    }
    if (args.has("replace")) out.push_back(pair("replace", std::int64_t{1}));
    return out;
}

error file_error(const std::string& path, const char* what) {
    return {errc::bad_config, fmt::format("{}: can't {}: {}", path, what, std::strerror(errno))};
}

// For its owner alone, in one step: a file that cannot be written leaves the old one as it was.
result<void> save_token(const std::string& path, const std::string& token) {
    const auto fresh = fmt::format("{}.new-{}", path, ::getpid());
    const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return file_error(fresh, "make it");
    const auto line = token + '\n';
    const bool written = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(fd) == 0;
    result<void> out;
    if (!written) out = file_error(fresh, "write it");
    ::close(fd);
    if (written && ::rename(fresh.c_str(), path.c_str()) != 0) out = file_error(path, "replace it");
    if (!out) ::unlink(fresh.c_str());
    return out;
}

std::string client_json(const std::string& name, const std::string* token, const std::string* file) {
    std::string line = R"({"v":1,"client":)";
    json::append_string(line, name);
    if (token != nullptr) line += fmt::format(R"(,"token":"{}")", *token);
    if (file != nullptr) {
        line += R"(,"file":)";
        json::append_string(line, *file);
    }
    return line + "}";
}

std::string account_json(const std::string& name) {
    std::string line = R"({"v":1,"client":)";
    json::append_string(line, name);
    return line + R"(,"kind":"xmpp"})";
}

// The keys of the password stand in for the token: the password itself stays here.
exit_code add_account(opened& on, const arguments& args, const std::string& name, const std::string& password) {
    auto options = wanted_rights(args);
    if (!options) return usage_failure(on.out, options.error());
    auto keys = login_keys(password);
    if (!keys) return on.fail(keys.error());
    options->push_back(pair("xmpp", std::move(*keys)));
    const auto done = ask_daemon(on.bus, *on.me, "mbusd.client-add", on.limit, {value{name}, value{""}, std::move(*options)});
    if (!done) return on.fail(done.error());
    on.out.note(fmt::format("account {} is known", name));
    if (args.has("json")) on.out.line(account_json(name));
    return exit_code::ok;
}

exit_code add(opened& on, const arguments& args, const std::string& name) {
    auto rights = wanted_rights(args);
    if (!rights) return usage_failure(on.out, rights.error());
    const auto token = mbusd::make_token();
    const auto file = args.text("output");
    const auto done = ask_daemon(on.bus, *on.me, "mbusd.client-add", on.limit,
                                 {value{name}, value{mbusd::hex_of_hash(mbusd::hash_token(token))}, std::move(*rights)});
    if (!done) return on.fail(done.error());
    if (file) {
        if (const auto saved = save_token(*file, token); !saved) {
            on.out.fail(saved.error());
            on.out.note(fmt::format("the token is lost; run: mbus client add {} --replace", name));
            return exit_code::failed;
        }
        on.out.note(fmt::format("client {} is known; its token is in {}", name, *file));
        if (args.has("json")) on.out.line(client_json(name, nullptr, &*file));
        return exit_code::ok;
    }
    if (::isatty(STDOUT_FILENO) != 0) on.out.note("this token is shown once; whoever has it is client " + name);
    on.out.line(args.has("json") ? client_json(name, &token, nullptr) : token);
    return exit_code::ok;
}

std::string listed(const value::list& texts) {
    std::string out;
    for (const auto& one : texts) {
        const auto* text = one.get_if<std::string>();
        if (text == nullptr) continue;
        if (!out.empty()) out += ' ';
        out += *text;
    }
    return out.empty() ? "-" : out;
}

std::string rights_text(const value::list& row) {
    std::string out;
    for (const auto flag : flags) {
        if (number_at(row, flag).value_or(0) == 0) continue;
        if (!out.empty()) out += ',';
        out += flag;
    }
    return out.empty() ? "-" : out;
}

std::string day_of(std::int64_t ms) {
    if (ms == 0) return "never";
    const std::time_t seconds = ms / 1000;
    std::tm parts{};
    std::array<char, 32> text{};
    if (::gmtime_r(&seconds, &parts) == nullptr) return "?";
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return std::string{text.data(), length};
}

std::string row_json(const value::list& row) {
    std::string line = R"({"v":1,"client":)";
    json::append_string(line, text_at(row, "name"));
    line += fmt::format(R"(,"kind":"{}")", text_at(row, "kind"));
    for (const std::string_view key : {"attach", "send"}) {
        line += fmt::format(R"(,"{}":[)", key);
        bool first = true;
        for (const auto& one : list_at(row, key)) {
            const auto* text = one.get_if<std::string>();
            if (text == nullptr) continue;
            if (!first) line += ',';
            first = false;
            json::append_string(line, *text);
        }
        line += ']';
    }
    for (const auto flag : flags) line += fmt::format(R"(,"{}":{})", flag, number_at(row, flag).value_or(0) != 0);
    const auto expires = number_at(row, "expires-ms").value_or(0);
    line += fmt::format(R"(,"created":"{}","expires":)", day_of(number_at(row, "created-ms").value_or(0)));
    return line + (expires == 0 ? "null}" : fmt::format(R"("{}"}})", day_of(expires)));
}

std::string row_text(const value::list& row) {
    return fmt::format("{:<20}  {:<5}  attach {}  send {}  may {}  expires {}", text_at(row, "name"), text_at(row, "kind"),
                       listed(list_at(row, "attach")), listed(list_at(row, "send")), rights_text(row),
                       day_of(number_at(row, "expires-ms").value_or(0)));
}

exit_code list(opened& on, const arguments& args) {
    const auto shown = each_row(on.bus, *on.me, "mbusd.clients", "clients", on.limit, [&](const value::list& row) {
        return on.out.line(args.has("json") ? row_json(row) : printable(row_text(row)));
    });
    return shown ? exit_code::ok : on.fail(shown.error());
}

exit_code remove(opened& on, const std::string& name) {
    const auto done = ask_daemon(on.bus, *on.me, "mbusd.client-remove", on.limit, {value{name}});
    if (!done) return on.fail(done.error());
    on.out.note(fmt::format("client {} is gone; its sessions have ended", name));
    return exit_code::ok;
}

// What is wrong with the words and the options together; empty when nothing is.
std::string contradiction(const arguments& args) {
    const auto& words = args.words();
    const std::array<std::string_view, 3> names{"add", "ls", "rm"};
    if (std::ranges::find(names, words.front()) == names.end()) {
        const auto near = text::nearest(words.front(), names);
        return fmt::format("unknown word '{}'; {}", words.front(),
                           near ? fmt::format("did you mean mbus client {}?", *near) : "expected add, ls or rm");
    }
    const bool takes_name = words.front() != "ls";
    if (takes_name != (words.size() == 2)) {
        return takes_name ? fmt::format("the NAME is missing; usage: mbus client {} NAME", words.front()) : "mbus client ls takes no NAME";
    }
    if (takes_name) {
        if (auto no = mbusd::refuses_client_name(words[1])) return *no;
    }
    if (takes_name && args.has("xmpp")) {
        if (auto no = mbusd::refuses_account_name(words[1])) return *no;
        if (args.has("output")) return "--output is for tokens; an account has a password";
    }
    if (args.has("password-file") && !args.has("xmpp")) return "--password-file goes with --xmpp";
    for (const std::string_view option : {"attach", "send", "monitor", "administer", "block", "durable", "link", "expires", "replace", "output", "xmpp", "password-file"}) {
        if (words.front() != "add" && args.has(option)) return fmt::format("--{} means nothing to mbus client {}", option, words.front());
    }
    return words.front() == "rm" && args.has("json") ? "--json means nothing to mbus client rm" : "";
}

exit_code run(const arguments& args, output& out) {
    if (auto wrong = contradiction(args); !wrong.empty()) return usage_failure(out, {errc::bad_argument, std::move(wrong)});
    const auto& words = args.words();
    if (words.front() == "add") {
        if (const auto rights = wanted_rights(args); !rights) return usage_failure(out, rights.error());
    }
    std::string password;
    if (args.has("xmpp")) {
        auto given = read_password(args.text("password-file"));
        if (!given) return usage_failure(out, given.error());
        password = std::move(*given);
    }
    return with_entity(args, out, [&](opened& on) {
        if (args.has("xmpp")) return add_account(on, args, words[1], password);
        if (words.front() == "add") return add(on, args, words[1]);
        return words.front() == "ls" ? list(on, args) : remove(on, words[1]);
    });
}

}  // namespace

verb client_verb() {
    return {{.program = "mbus client",
             .summary = "make, list and withdraw tokens and accounts of clients",
             .synopsis = {"add [options] NAME", "ls [-j]", "rm NAME"},
             .description = {"A token lets a browser page, a service or another daemon in through the gateway. add prints it once; the daemon "
                             "keeps a hash only, and what the token may do. Without --attach and --send it may do both everywhere. rm ends the "
                             "client's sessions. With --xmpp it gets an account instead, with a password that is asked for: for XMPP and the feeds over HTTP. The "
                             "daemon gets keys that check it (SCRAM), never the password. NAME: 1 to 64 of letters, digits, '-', '_' and '.'. Needs the right to administer."},
             .options = {{.name = "attach", .takes = operand::address, .placeholder = "ADDR", .help = "add: may be an entity that contains ADDR; repeatable (())", .repeatable = true},
                         {.name = "send", .takes = operand::address, .placeholder = "ADDR", .help = "add: may send to what contains ADDR; repeatable (())", .repeatable = true},
                         {.name = "monitor", .help = "add: may read copies of every message"},
                         {.name = "administer", .help = "add: may look at the daemon and manage it"},
                         {.name = "block", .help = "add: may use the slow-reader policy block"},
                         {.name = "durable", .help = "add: may have sessions that survive a restart of the daemon"},
                         {.name = "link", .help = "add: may be another daemon that links to this one"},
                         {.name = "expires", .takes = operand::count, .placeholder = "DAYS", .help = "add: the token is good for DAYS days (for ever)"},
                         {.name = "replace", .help = "add: give a client that exists a new token and these rights"},
                         {.name = "xmpp", .help = "add: an account with a password instead of a token; NAME without capital letters"},
                         {.name = "password-file", .takes = operand::file, .placeholder = "FILE", .help = "add --xmpp: the password is the first line of FILE, - for standard input (asked on the terminal)"},
                         {.letter = 'o', .name = "output", .takes = operand::file, .placeholder = "FILE", .help = "add: write the token to FILE, mode 0600, instead of printing it"},
                         timeout_option("limit for the daemon's answer (10 s)"), json_option("add, ls: as JSON lines"), quiet_option(), verbose_option(),
                         socket_option()},
             .words = operand::choice,
             .word_choices = {"add", "ls", "rm"},
             .words_min = 1,
             .words_max = 2,
             .examples = {{"mbus client add page", "a token that may attach and send everywhere"},
                          {"mbus client add door --attach app:door --send app:house --expires 30", "little, and not for long"},
                          {"mbus client add other-site --link -o /etc/mbusd/other-site.token", "for the daemon of another site"},
                          {"mbus client add --xmpp ann", "an account for XMPP; asks for its password"},
                          {"mbus client rm page", "withdraw it; its sessions end"}}},
            run};
}

}  // namespace mbus::tools
