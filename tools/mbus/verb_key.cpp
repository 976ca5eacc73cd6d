// mbus key: makes, shows and copies the key file of a bus (RFC 3259, section 12).
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "config/session_file.hpp"
#include "mbus/key_files.hpp"
#include "mbus/verbs.hpp"
#include "message/nearest.hpp"

namespace mbus::tools {
namespace {

using protocol::key_profile;

// errc::bad_config has no status of its own: 1; a file that is there already is "refused".
exit_code fail(const output& out, const error& failure) { return out.fail(failure); }

result<std::string> file_or(const arguments& args, result<std::string> (*otherwise)()) {
    return args.words().size() > 1 ? result<std::string>{args.words()[1]} : otherwise();
}

void tell(const output& out, const std::string& path, const protocol::session_config& config) {
    out.note(fmt::format("wrote {}: {}; fingerprint {}", path, describe_key(config), protocol::key_fingerprint(config)));
}

exit_code make_new(const arguments& args, output& out) {
    const auto path = file_or(args, own_key_file);
    if (!path) return fail(out, path.error());
    const auto profile = args.text("profile").value_or("rfc");
    const auto scope = args.text("scope").value_or("HOSTLOCAL");
    const auto config = protocol::generate_session_config(
        profile == "modern" ? key_profile::modern : profile == "rfc" ? key_profile::rfc : key_profile::rfc_unencrypted,
        scope == "LINKLOCAL" ? protocol::scope::link_local : protocol::scope::host_local);
    if (auto done = save_key_file(*path, config, args.has("force")); !done) return fail(out, done.error());
    tell(out, *path, config);
    return exit_code::ok;
}

exit_code show(const arguments& args, output& out) {
    const auto path = file_or(args, key_file_in_use);
    if (!path) return fail(out, path.error());
    const auto config = mbusd::load_session_file(*path);
    if (!config) return fail(out, config.error());
    for (const auto& warning : config->warnings) out.note(fmt::format("{}: {}", *path, warning));
    if (args.has("json")) {
        out.line(key_json(*path, *config));
        return exit_code::ok;
    }
    out.line(fmt::format("file         {}", *path));
    out.line(fmt::format("profile      {}", is_modern(*config) ? "modern" : "rfc"));
    out.line(fmt::format("hash         {}", protocol::to_string(config->hash)));
    out.line(fmt::format("encryption   {}", protocol::to_string(config->cipher)));
    out.line(fmt::format("scope        {}", protocol::to_string(config->scope)));
    out.line(fmt::format("address      {}", config->broadcast ? "BROADCAST" : config->group.value_or("default")));
    out.line(fmt::format("port         {}", config->port));
    out.line(fmt::format("fingerprint  {}", protocol::key_fingerprint(*config)));
    return exit_code::ok;
}

exit_code export_key(const arguments& args, output& out) {
    const auto path = file_or(args, key_file_in_use);
    if (!path) return fail(out, path.error());
    const auto config = mbusd::load_session_file(*path);
    if (!config) return fail(out, config.error());
    if (const auto target = args.text("output")) {
        if (auto done = save_key_file(*target, *config, args.has("force")); !done) return fail(out, done.error());
        tell(out, *target, *config);
        return exit_code::ok;
    }
    if (isatty(STDOUT_FILENO) != 0) out.note("what follows is secret: whoever has it reads and forges everything on the bus");
    return out.raw(protocol::format_session_config(*config)) ? exit_code::ok : exit_code::failed;
}

exit_code import_key(const arguments& args, output& out) {
    if (args.words().size() < 2) {
        return usage_failure(out, {errc::bad_argument, "the FILE is missing; usage: mbus key import FILE ('-' reads stdin)"});
    }
    const auto& from = args.words()[1];
    const auto text = read_key_text(from);
    if (!text) return fail(out, text.error());
    const auto config = protocol::parse_session_config(*text);
    if (!config) return fail(out, {config.error().code, fmt::format("{}: {}", from, config.error().text)});
    for (const auto& warning : config->warnings) out.note(fmt::format("{}: {}", from, warning));
    const auto target = args.has("output") ? result<std::string>{*args.text("output")} : own_key_file();
    if (!target) return fail(out, target.error());
    if (auto done = save_key_file(*target, *config, args.has("force")); !done) return fail(out, done.error());
    tell(out, *target, *config);
    return exit_code::ok;
}

exit_code run(const arguments& args, output& out) {
    struct action {
        std::string_view name;
        tool_function what;
        std::vector<std::string_view> options;
    };
    const std::array<action, 4> actions{{{"new", make_new, {"profile", "scope", "force"}},
                                         {"show", show, {"json"}},
                                         {"export", export_key, {"output", "force"}},
                                         {"import", import_key, {"output", "force"}}}};
    const auto& word = args.words().front();
    const auto found = std::ranges::find(actions, word, &action::name);
    if (found == actions.end()) {
        const std::array<std::string_view, 4> names{"new", "show", "export", "import"};
        const auto near = text::nearest(word, names);
        return usage_failure(out, {errc::bad_argument, fmt::format("unknown word '{}'; {}", word, near ? fmt::format("did you mean mbus key {}?", *near)
                                                                                                       : "expected new, show, export or import")});
    }
    for (const std::string_view option : {"profile", "scope", "force", "output", "json"}) {
        if (args.has(option) && std::ranges::find(found->options, option) == found->options.end()) {
            return usage_failure(out, {errc::bad_argument, fmt::format("--{} means nothing to mbus key {}; it takes --{}", option, word,
                                                                       fmt::join(found->options, ", --"))});
        }
    }
    return found->what(args, out);
}

}  // namespace

verb key_verb() {
    return {{.program = "mbus key",
             .summary = "make, show and copy the key file of a bus",
             .synopsis = {"new [options] [FILE]", "show [-j] [FILE]", "export [-o TARGET] [FILE]", "import [-o TARGET] FILE"},
             .description = {"FILE is $MBUS, else ~/.mbus, else (to read) /etc/mbusd/mbus.conf. Files are made with mode 0600 and never replaced without "
                             "--force. show prints no key; export prints the whole file, to copy it to another host. import reads FILE, or stdin when "
                             "it is -."},
             .options = {{.name = "profile",
                          .takes = operand::choice,
                          .placeholder = "PROFILE",
                          .help = "new: rfc (HMAC-SHA1-96, AES), rfc-unencrypted, or modern (between mbusd only) (rfc)",
                          .choices = {"rfc", "rfc-unencrypted", "modern"}},
                         {.name = "scope",
                          .takes = operand::choice,
                          .placeholder = "SCOPE",
                          .help = "new: HOSTLOCAL (this host only) or LINKLOCAL (all hosts of the link) (HOSTLOCAL)",
                          .choices = {"HOSTLOCAL", "LINKLOCAL"}},
                         {.letter = 'o', .name = "output", .takes = operand::file, .placeholder = "TARGET", .help = "export, import: the file to write"},
                         {.name = "force", .help = "new, export, import: replace a file that exists"}, json_option("show: as one JSON line"),
                         quiet_option(), verbose_option()},
             .words = operand::choice,
             .word_choices = {"new", "show", "export", "import"},
             .words_min = 1,
             .words_max = 2,
             .examples = {{"mbus key new", "a key for this host, in ~/.mbus"},
                          {"sudo mbus key new --scope LINKLOCAL /etc/mbusd/mbus.conf", "for the daemons of all hosts on the link"},
                          {"mbus key show", "algorithms, scope and a fingerprint to compare"},
                          {"mbus key export | ssh other mbus key import -", "bring it to another host"},
                          {"mbus key new --profile modern --force", "stronger algorithms, where only mbusd takes part"}}},
            run};
}

}  // namespace mbus::tools
