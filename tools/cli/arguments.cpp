#include "cli/arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/duration.hpp"
#include "message/nearest.hpp"

namespace mbus::tools {
namespace {

// More words than any command line holds; CLI11 wants a number.
constexpr int words_unbounded = 1 << 20;

std::vector<option_spec> all_options(const tool_spec& spec) {
    auto options = spec.options;
    const auto& common = common_options();
    options.insert(options.end(), common.begin(), common.end());
    return options;
}

std::string dashed(const option_spec& option) { return "--" + std::string{option.name}; }

// "-r,--reliable", as CLI11 wants it
std::string cli_names(const option_spec& option) {
    return option.letter != '\0' ? fmt::format("-{},--{}", option.letter, option.name) : dashed(option);
}

result<std::uint64_t> parse_count(std::string_view text) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc::result_out_of_range) return {errc::bad_argument, "expected a number below 2^64"};
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || number == 0) {
        return {errc::bad_argument, "expected a whole number above 0"};
    }
    return number;
}

result<double> parse_rate(std::string_view text) {
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    // Below one in a day it is no rate; above 10 million a second no computer follows.
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || !(number >= 1e-5) || number > 1e7) {
        return {errc::bad_argument, "expected a number above 0, such as 100 or 0.5"};
    }
    return number;
}

// Says what is wrong with the text of an option, or nothing.
std::optional<std::string> fault_of(const option_spec& option, const std::string& text) {
    switch (option.takes) {
        case operand::count: {
            auto number = parse_count(text);
            return number ? std::nullopt : std::optional{number.error().text};
        }
        case operand::rate: {
            auto number = parse_rate(text);
            return number ? std::nullopt : std::optional{number.error().text};
        }
        case operand::duration:
            return parse_duration(text) ? std::nullopt
                                        : std::optional<std::string>{"expected seconds such as 5 or 0.5, or a number with ms, s, m or h"};
        case operand::address: {
            auto address = mbus::address::parse_relaxed(text);
            return address ? std::nullopt : std::optional{describe(address.error())};
        }
        case operand::choice:
            if (std::ranges::find(option.choices, text) != option.choices.end()) return std::nullopt;
            return fmt::format("expected one of {}", fmt::join(option.choices, ", "));
        default:
            return text.empty() ? std::optional<std::string>{"expected some text"} : std::nullopt;
    }
}

error usage(std::string text) { return {errc::bad_argument, std::move(text)}; }

// For "--reliabel": unknown option --reliabel; did you mean --reliable?
error unknown_option(const tool_spec& spec, const std::string& given) {
    const auto options = all_options(spec);
    const auto name = given.substr(0, given.find('='));
    std::string text = fmt::format("unknown option {}", name);
    if (name.starts_with("--") || name.size() > 2) {
        std::vector<std::string_view> names;
        for (const auto& option : options) names.push_back(option.name);
        const auto bare = name.substr(name.find_first_not_of('-') == std::string::npos ? name.size() : name.find_first_not_of('-'));
        if (const auto near = text::nearest(bare, names)) return usage(fmt::format("{}; did you mean --{}?", text, *near));
    } else {
        const char letter = name.back();
        const char other = std::islower(static_cast<unsigned char>(letter)) != 0
                               ? static_cast<char>(std::toupper(static_cast<unsigned char>(letter)))
                               : static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
        for (const auto& option : options) {
            if (option.letter == other || (!option.name.empty() && option.letter == '\0' && option.name.front() == letter)) {
                return usage(option.letter == other ? fmt::format("{}; did you mean -{} (--{})?", text, other, option.name)
                                                    : fmt::format("{}; did you mean --{}?", text, option.name));
            }
        }
    }
    return usage(fmt::format("{}; {} --help lists them", text, spec.program));
}

result<void> check_option(const tool_spec& spec, const option_spec& option, const arguments& read) {
    const auto& given = read.all(option.name);
    if (given.size() > 1 && !option.repeatable && option.takes != operand::none) {
        return usage(fmt::format("{} is given {} times; give it once", dashed(option), given.size()));
    }
    for (const auto& text : given) {
        if (option.takes == operand::none) break;
        if (auto fault = fault_of(option, text)) return usage(fmt::format("{} '{}': {}", dashed(option), text, *fault));
    }
    for (const auto other : option.excludes) {
        if (!given.empty() && read.has(other)) {
            return usage(fmt::format("{} and --{} contradict each other; give one of them", dashed(option), other));
        }
    }
    static_cast<void>(spec);
    return {};
}

result<void> check(const tool_spec& spec, const arguments& read) {
    for (const auto& option : spec.options) {
        if (auto done = check_option(spec, option, read); !done) return done;
    }
    if (read.words().size() < spec.words_min) {
        std::string ways;
        for (const auto& way : spec.synopsis) ways += fmt::format("{}{} {}", ways.empty() ? "" : ", or ", spec.program, way);
        return usage(fmt::format("something is missing; usage: {}", ways));
    }
    if (read.words().size() > spec.words_max) {
        return usage(fmt::format("'{}' is one word too many; usage: {} {}", read.words()[spec.words_max], spec.program,
                                 spec.synopsis.front()));
    }
    return {};
}

// CLI11 ends with an exception of its own; most often an option without its operand.
error translated(const tool_spec& spec, const CLI::ParseError& failure) {
    const std::string what = failure.what();
    for (const auto& option : all_options(spec)) {
        const bool meant = what.starts_with(dashed(option) + ":") || what.starts_with(dashed(option) + " ");
        if (meant && option.takes != operand::none) return usage(fmt::format("{} needs {} after it", dashed(option), option.placeholder));
        if (meant) return usage(fmt::format("{} takes nothing after '='", dashed(option)));
    }
    return usage(what);
}

// `-5` is a number unless the tool has an option of that letter (mbus-listen -1). CLI11 would take it
// for an option, so it gets a mark in front that no argument of a program can be mistaken for.
constexpr char number_mark = '\x01';

bool looks_negative(const tool_spec& spec, const std::string& text) {
    if (text.size() < 2 || text[0] != '-' || text[1] < '0' || text[1] > '9') return false;
    return std::ranges::none_of(spec.options, [&](const option_spec& one) { return one.letter == text[1]; });
}

std::string unmarked(const std::string& text) {
    return text.starts_with(number_mark) ? text.substr(1) : text;
}

}  // namespace

bool arguments::has(std::string_view option) const noexcept { return given_.contains(option); }

std::optional<std::string> arguments::text(std::string_view option) const {
    const auto found = given_.find(option);
    return found == given_.end() ? std::nullopt : std::optional{found->second.back()};
}

const std::vector<std::string>& arguments::all(std::string_view option) const {
    static const std::vector<std::string> none;
    const auto found = given_.find(option);
    return found == given_.end() ? none : found->second;
}

std::optional<std::uint64_t> arguments::count(std::string_view option) const {
    const auto given = text(option);
    if (!given) return std::nullopt;
    auto number = parse_count(*given);
    return number ? std::optional{*number} : std::nullopt;
}

std::optional<double> arguments::rate(std::string_view option) const {
    const auto given = text(option);
    if (!given) return std::nullopt;
    auto number = parse_rate(*given);
    return number ? std::optional{*number} : std::nullopt;
}

std::optional<std::chrono::milliseconds> arguments::duration(std::string_view option) const {
    const auto given = text(option);
    return given ? parse_duration(*given) : std::nullopt;
}

result<arguments> parse_arguments(const tool_spec& spec, std::span<const std::string> line) {
    CLI::App app;
    app.set_help_flag("");
    app.allow_extras();  // what is unknown is answered with the nearest known one, below
    const auto options = all_options(spec);
    std::vector<CLI::Option*> added;
    for (const auto& option : options) {
        if (option.takes == operand::none) {
            added.push_back(app.add_flag(cli_names(option)));
        } else {
            added.push_back(app.add_option(cli_names(option), [](const CLI::results_t&) { return true; }));
            added.back()->expected(1)->take_all();
        }
    }
    auto* words = app.add_option("words", [](const CLI::results_t&) { return true; });
    words->expected(0, words_unbounded);
    // What stands behind "--" are words, whatever they look like.
    const auto dashes = std::ranges::find(line, "--");
    std::vector<std::string> reversed;
    for (auto at = dashes; at != line.begin();) {
        --at;
        reversed.push_back(looks_negative(spec, *at) ? number_mark + *at : *at);
    }
    try {
        app.parse(std::move(reversed));
    } catch (const CLI::ParseError& failure) {
        return translated(spec, failure);
    }
    arguments read;
    for (std::size_t i = 0; i < options.size(); ++i) {
        for (const auto& given : added[i]->results()) {
            const bool flag = options[i].takes == operand::none;
            if (flag && given != "true") return usage(fmt::format("{} takes nothing after '='", dashed(options[i])));
            read.add(options[i].name, unmarked(given));
        }
    }
    for (const auto& word : words->results()) read.add_word(unmarked(word));
    for (const auto& extra : app.remaining()) {
        if (extra.size() > 1 && extra.front() == '-') return unknown_option(spec, extra);
        read.add_word(unmarked(extra));
    }
    for (auto at = dashes; at != line.end(); ++at) {
        if (at != dashes) read.add_word(*at);
    }
    if (read.has("help") || read.has("version")) return read;
    if (auto done = check(spec, read); !done) return std::move(done).error();
    return read;
}

}  // namespace mbus::tools
