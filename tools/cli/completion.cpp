#include "cli/completion.hpp"

#include <fmt/format.h>

namespace mbus::tools {
namespace {

std::vector<option_spec> all_options(const tool_spec& spec) {
    auto options = spec.options;
    options.insert(options.end(), common_options().begin(), common_options().end());
    return options;
}

std::string names_of(const tool_spec& spec) {
    std::string out;
    for (const auto& option : all_options(spec)) {
        if (!out.empty()) out += ' ';
        if (option.letter != '\0') out += fmt::format("-{} ", option.letter);
        out += fmt::format("--{}", option.name);
    }
    return out;
}

// "-W|--timeout": a pattern of bash's `case`
std::string pattern_of(const option_spec& option) {
    return option.letter != '\0' ? fmt::format("-{}|--{}", option.letter, option.name) : fmt::format("--{}", option.name);
}

std::string joined(const std::vector<std::string_view>& words) {
    std::string out;
    for (const auto word : words) out += (out.empty() ? "" : " ") + std::string{word};
    return out;
}

std::string candidates(operand kind, const std::vector<std::string_view>& choices) {
    switch (kind) {
        case operand::address: return "_mbus_addresses";
        case operand::file: return "_mbus_files";
        case operand::choice: return fmt::format("_mbus_words '{}'", joined(choices));
        default: return "return 0";
    }
}

// What follows an option, then options, then words.
std::string body(const tool_spec& spec, std::string_view indent) {
    std::string out = fmt::format("{}case \"$prev\" in\n", indent);
    for (const auto& option : all_options(spec)) {
        if (option.takes == operand::none) continue;
        out += fmt::format("{}    {}) {}; return 0 ;;\n", indent, pattern_of(option), candidates(option.takes, option.choices));
    }
    out += fmt::format("{}esac\n", indent);
    out += fmt::format("{}if [[ $cur == -* ]]; then _mbus_words '{}'; return 0; fi\n", indent, names_of(spec));
    out += fmt::format("{}{}\n", indent, candidates(spec.words, spec.word_choices));
    return out;
}

std::string function_name(std::string_view program) {
    std::string name = "_";
    for (const char octet : program) name += octet == '-' || octet == ' ' ? '_' : octet;
    return name;
}

constexpr std::string_view helpers = R"(# bash completion for the tools of mbusd, printed by `mbus completion bash`.
# Try it: source <(mbus completion bash)

_mbus_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_mbus_files() { mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames 2>/dev/null; }
# The elements of entities that are on the bus now. Bash splits words at colons: put back what it cut.
_mbus_addresses() {
    local line=${COMP_LINE:0:COMP_POINT} elements
    local word=${line##*[[:space:]]}
    word=${word#[\'\"]}; word=${word#(}
    elements=$(mbus peers -q -W 1 --elements 2>/dev/null) || return 0
    mapfile -t COMPREPLY < <(compgen -W "$elements" -- "$word")
    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local cut=${word%"${word##*:}"} i
        for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$cut"}; done
    fi
}
)";

}  // namespace

std::string bash_completion(std::span<const tool_spec> programs, std::span<const tool_spec> verbs) {
    std::string out{helpers};
    for (const auto& spec : programs) {
        const auto function = function_name(spec.program);
        out += fmt::format("\n{}() {{\n    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}\n", function);
        out += body(spec, "    ");
        out += fmt::format("}}\ncomplete -F {} {}\n", function, spec.program);
    }
    std::string names;
    std::string cases;
    for (const auto& spec : verbs) {
        const auto verb = spec.program.substr(spec.program.find(' ') + 1);
        names += (names.empty() ? "" : " ") + std::string{verb};
        cases += fmt::format("    {})\n{}        ;;\n", verb, body(spec, "        "));
    }
    out += "\n_mbus() {\n    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n";
    out += fmt::format("    if (( COMP_CWORD == 1 )); then _mbus_words '{} --help --version'; return 0; fi\n", names);
    out += "    case \"${COMP_WORDS[1]}\" in\n" + cases + "    esac\n}\ncomplete -F _mbus mbus\n";
    return out;
}

}  // namespace mbus::tools
