#include "config/command_line.hpp"

#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/config_text.hpp"
#include "config/did_you_mean.hpp"

namespace mbusd {
namespace {

constexpr const char* examples = R"(
Examples:
  mbusd                                   with /etc/mbusd/mbusd.toml, if it exists
  mbusd --check --config my.toml          look for faults in a configuration
  mbusd --print-config                    every value, and where it comes from
  mbusd --socket /tmp/m.sock --scope HOSTLOCAL
  kill -HUP $(pidof mbusd)                reload, all or nothing

Exit: 0 stopped in order, 1 failed at start, 2 wrong usage.

Keys of mbusd.toml (mbusd.toml(5) explains them):
)";

std::string unknown_option(const CLI::App& app, const std::vector<std::string>& extra) {
    const std::string word = extra.empty() ? std::string{} : extra.front();
    std::string text = "mbusd: unknown option '" + word + "'";
    std::vector<std::string> names;
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
    std::vector<std::string_view> views(names.begin(), names.end());
    const auto plain = word.substr(0, word.find('='));
    const auto hint = did_you_mean(plain, views);
    return text + (hint.empty() ? "; 'mbusd --help' lists all" : hint) + "\n";
}

// Paths on a command line start where the user is; in a file they would depend on who starts the daemon.
void make_absolute(std::string& path) {
    if (path.empty() || path.starts_with("~/")) return;
    std::error_code failed;
    const auto whole = std::filesystem::absolute(path, failed);
    if (!failed) path = whole.string();
}

void override_settings(config_reading& into, const command_line& asked) {
    if (!asked.socket.empty()) override_setting(into, "socket.path", asked.socket, "--socket");
    if (!asked.key_file.empty()) override_setting(into, "bus.key_file", asked.key_file, "--key-file");
    if (!asked.scope.empty()) override_setting(into, "bus.scope", asked.scope, "--scope");
}

// A value that no file could repair is wrong usage.
void check_values(command_line& out) {
    make_absolute(out.socket);
    make_absolute(out.key_file);
    config_reading trial;
    override_settings(trial, out);
    if (trial.problems.empty()) return;
    out.exit_code = exit_usage;
    for (const auto& problem : trial.problems) out.text += "mbusd: " + problem.text + "\n";
}

}  // namespace

command_line parse_command_line(int argc, const char* const* argv, const std::string& version) {
    command_line out;
    CLI::App app{"mbusd: the daemon of the local coordination bus (RFC 3259 Mbus)", "mbusd"};
    app.set_version_flag("--version", "mbusd " + version);
    app.footer(examples + dump_keys("text").value_or(""));
    auto* config = app.add_option("--config", out.config_file, "Configuration file; conf.d/*.toml beside it is read too")
                       ->type_name("FILE")->capture_default_str();
    auto* check = app.add_flag("--check", out.check, "Check configuration and key file, then leave");
    auto* print = app.add_flag("--print-config", out.print_config, "Print every value and its origin, then leave");
    app.add_option("--socket", out.socket, "Unix socket for local programs (socket.path)")->type_name("PATH");
    app.add_option("--key-file", out.key_file, "Keys of the bus (bus.key_file)")->type_name("FILE");
    app.add_option("--scope", out.scope, "HOSTLOCAL or LINKLOCAL (bus.scope)")->type_name("SCOPE");
    bool foreground = true;
    app.add_flag("--foreground", foreground, "Stay in the foreground, which mbusd always does");
    auto* dump = app.add_option("--dump-keys", out.dump_keys, "Print the keys of mbusd.toml: text, markdown or scdoc")
                     ->type_name("FORM")->group("");
    check->excludes(print)->excludes(dump);
    print->excludes(dump);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ExtrasError&) {
        out.exit_code = exit_usage;
        out.text = unknown_option(app, app.remaining());
    } catch (const CLI::CallForHelp&) {
        out.exit_code = 0;
        out.text = app.help();
    } catch (const CLI::CallForVersion&) {
        out.exit_code = 0;
        out.text = "mbusd " + version + "\n";
    } catch (const CLI::ParseError& fault) {
        out.exit_code = exit_usage;
        out.text = std::string{"mbusd: "} + fault.what() + "; 'mbusd --help' lists the options\n";
    }
    if (config->count() > 0) out.config_existence = must_exist::yes;
    if (!out.exit_code) check_values(out);
    return out;
}

config_reading read_config(const command_line& asked) {
    auto out = read_config(asked.config_file, asked.config_existence);
    override_settings(out, asked);
    return out;
}

}  // namespace mbusd
