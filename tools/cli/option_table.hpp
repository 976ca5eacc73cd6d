// What a tool takes on its command line, in one place: the parser, --help, the completion and the
// test of the manual pages all read this table.
//
//     const tool_spec spec{.program = "mbus-send", ..., .options = {{.letter = 'r', .name = "reliable", ...}}};
//
// Thread-safety: plain values.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace mbus::tools {

// What stands after an option, or in place of a word.
enum class operand : std::uint8_t {
    none,
    text,
    count,      // an integer above 0
    rate,       // a decimal number above 0
    duration,   // 5, 0.5, 200ms, 5s, 2m, 1h
    address,
    command,    // the name of a command
    glob,
    file,
    choice,     // one of option_spec::choices
};

struct option_spec {
    char letter = '\0';     // -r; none when NUL
    std::string_view name{};  // --reliable
    operand takes = operand::none;
    std::string_view placeholder{};  // "ADDR"
    std::string_view help{};       // one line; the default in parentheses at its end
    std::vector<std::string_view> excludes{};  // names of options that contradict this one
    std::vector<std::string_view> choices{};
    bool repeatable = false;
};

struct example {
    std::string_view line;
    std::string_view says;
};

struct tool_spec {
    std::string_view program;               // "mbus-send", "mbus peers"
    std::string_view summary{};             // for the list of verbs and the first line of --help
    std::vector<std::string_view> synopsis{}; // without the program's name
    std::vector<std::string_view> description{};
    std::vector<option_spec> options{};
    operand words = operand::none;          // what the completion offers for words
    std::vector<std::string_view> word_choices{};
    std::size_t words_min = 0;
    std::size_t words_max = 0;
    std::vector<example> examples{};

    [[nodiscard]] const option_spec* find(std::string_view name) const noexcept;
};

// Options that every tool has: --help, --version.
[[nodiscard]] const std::vector<option_spec>& common_options();

// For the tables: options that several tools share, always with the same meaning.
[[nodiscard]] option_spec json_option(std::string_view help);
[[nodiscard]] option_spec socket_option();
[[nodiscard]] option_spec quiet_option();
[[nodiscard]] option_spec verbose_option();
[[nodiscard]] option_spec timeout_option(std::string_view help);
[[nodiscard]] option_spec as_option(std::string_view help);

}  // namespace mbus::tools
