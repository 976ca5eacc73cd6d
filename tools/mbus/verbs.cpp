#include "mbus/verbs.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "message/nearest.hpp"

namespace mbus::tools {
namespace {

std::string overview() {
    std::string out =
        "mbus: look at the bus and manage it\n\n"
        "Usage: mbus VERB [options] [words]\n"
        "       mbus VERB --help\n\n"
        "Verbs:\n";
    for (const auto& one : all_verbs()) out += fmt::format("  {:<12}{}\n", one.name(), one.spec.summary);
    out +=
        "\nOptions:\n"
        "  -h, --help  print this and exit\n"
        "  --version   print the version and exit\n"
        "\nSee also: mbus-send --help, mbus-listen --help\n"
        "\nExamples:\n"
        "  mbus peers\n      who is on the bus\n"
        "  mbus ping media:audio\n      are they there, and how fast\n"
        "  mbus call app:player player.status\n      ask one entity something and print its answer\n"
        "  mbus key new --scope LINKLOCAL\n      make the key that all hosts of a bus share\n"
        "  mbus doctor\n      what is wrong, and how to fix it\n";
    return out;
}

exit_code unknown_verb(const output& out, const std::string& word) {
    std::vector<std::string_view> names;
    for (const auto& one : all_verbs()) names.push_back(one.name());
    if (word.starts_with('-')) {
        names = {"--help", "--version"};
        const auto near = text::nearest(word, names);
        return usage_failure(out, {errc::bad_argument, fmt::format("unknown option {}; {}", word, near ? fmt::format("did you mean {}?", *near)
                                                                                                      : "a verb comes first; mbus --help lists them")});
    }
    if (word == "send" || word == "listen") {
        return usage_failure(out, {errc::bad_argument, fmt::format("{0} is a program of its own: mbus-{0}", word)});
    }
    const auto near = text::nearest(word, names);
    return usage_failure(out, {errc::bad_argument, near ? fmt::format("unknown verb '{}'; did you mean mbus {}?", word, *near)
                                                        : fmt::format("unknown verb '{}'; mbus --help lists them", word)});
}

}  // namespace

std::span<const verb> all_verbs() {
    static const std::vector<verb> verbs{peers_verb(), match_verb(), ping_verb(), call_verb(),   wait_verb(),      go_verb(),
                                         quit_verb(),  key_verb(), client_verb(), cap_verb(), link_verb(), queue_verb(), feed_verb(), doctor_verb(), check_verb(), top_verb(), config_verb(), completion_verb()};
    return verbs;
}

exit_code run_mbus(std::span<const std::string> line) {
    output out{"mbus", output::level::normal};
    if (line.empty()) return usage_failure(out, {errc::bad_argument, "the verb is missing; mbus --help lists them"});
    const auto& word = line.front();
    if (word == "--help" || word == "-h" || (word == "help" && line.size() == 1)) {
        out.raw(overview());
        return out.lost() ? exit_code::failed : exit_code::ok;
    }
    if (word == "--version") {
        out.line(version_line("mbus"));
        return out.lost() ? exit_code::failed : exit_code::ok;
    }
    const bool help = word == "help";
    const auto& name = help ? line[1] : word;
    const auto verbs = all_verbs();
    const auto found = std::ranges::find_if(verbs, [&](const verb& one) { return one.name() == name; });
    if (found == verbs.end()) return unknown_verb(out, name);
    static const std::vector<std::string> help_option{"--help"};
    return run_tool(found->spec, found->run, help ? std::span<const std::string>{help_option} : line.subspan(1));
}

}  // namespace mbus::tools
