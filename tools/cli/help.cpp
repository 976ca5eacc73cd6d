#include "cli/help.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mbus::tools {
namespace {

constexpr std::size_t line_octets_max = 100;
// Headings that are longer stand on a line of their own.
constexpr std::size_t heading_octets_max = 26;

// `text` broken at blanks, continued under `indent`.
std::string wrapped(std::string_view text, std::size_t indent) {
    std::string out;
    std::size_t column = indent;
    while (!text.empty()) {
        const auto blank = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, blank);
        text.remove_prefix(std::min(blank + 1, text.size()));
        if (column > indent && column + 1 + word.size() > line_octets_max) {
            out += '\n' + std::string(indent, ' ');
            column = indent;
        } else if (column > indent) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
    }
    return out;
}

std::string option_lines(const std::vector<option_spec>& options, std::size_t width) {
    std::string out;
    for (const auto& option : options) {
        const auto heading = option_heading(option);
        out += "  " + heading;
        const auto indent = width + 4;
        if (heading.size() > width) out += '\n' + std::string(indent, ' ');
        else out += std::string(indent - 2 - heading.size(), ' ');
        out += wrapped(option.help, indent) + '\n';
    }
    return out;
}

}  // namespace

std::string option_heading(const option_spec& option) {
    std::string out = option.letter != '\0' ? fmt::format("-{}, --{}", option.letter, option.name) : fmt::format("    --{}", option.name);
    if (option.takes != operand::none) out += fmt::format(" {}", option.placeholder);
    return out;
}

std::string help_text(const tool_spec& spec) {
    std::string out = fmt::format("{}: {}\n\n", spec.program, spec.summary);
    std::string_view lead = "Usage:";
    for (const auto synopsis : spec.synopsis) {
        out += fmt::format("{} {}{}{}\n", lead, spec.program, synopsis.empty() ? "" : " ", synopsis);
        lead = "      ";
    }
    if (!spec.description.empty()) out += '\n';
    for (const auto paragraph : spec.description) out += wrapped(paragraph, 0) + '\n';
    std::size_t width = 0;
    for (const auto* options : {&spec.options, &common_options()}) {
        for (const auto& option : *options) {
            const auto size = option_heading(option).size();
            if (size <= heading_octets_max) width = std::max(width, size);
        }
    }
    out += "\nOptions:\n" + option_lines(spec.options, width) + option_lines(common_options(), width);
    out += "\nTIME is in seconds (5, 0.5) or has a unit: 200ms, 5s, 2m, 1h.\n"
           "Exit status: 0 ok, 1 failed, 2 usage, 3 nobody matched, 4 not acknowledged, 5 not unique, 6 refused,\n"
           "7 too large or invalid, 8 no daemon, 124 time limit, 130/143 signal.\n";
    out += "\nExamples:\n";
    for (const auto& one : spec.examples) out += fmt::format("  {}\n      {}\n", one.line, one.says);
    return out;
}

}  // namespace mbus::tools
