#include "cli/words.hpp"

#include <fmt/format.h>

#include "cli/text.hpp"

namespace mbus::tools {
namespace {

// Longer words are cut in error texts.
constexpr std::size_t shown_octets_max = 60;

std::string shown(std::string_view word) {
    const auto cut = word.size() > shown_octets_max;
    return printable(word.substr(0, shown_octets_max)) + (cut ? "..." : "");
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_address_word(std::string_view word) {
    const auto text = trimmed(word);
    if (text.find(':') != std::string_view::npos) return true;
    return text.size() >= 2 && text.front() == '(' && text.back() == ')' && trimmed(text.substr(1, text.size() - 2)).empty();
}

result<void> merge_word(address& into, const std::string& word) {
    auto read = address::parse_relaxed(word);
    if (!read) return error{errc::bad_address, fmt::format("'{}' is no address: {}", shown(word), describe(read.error()))};
    for (const auto element : *read) {
        const auto before = into.find(element.tag);
        if (before && *before != element.value) {
            return error{errc::bad_address,
                         fmt::format("an address has one value for '{}', not both {} and {}", element.tag, *before, element.value)};
        }
    }
    auto merged = into.merged(*read);
    if (!merged) return std::move(merged).error();
    into = std::move(*merged);
    return {};
}

}  // namespace

std::string quoted_for_shell(std::string_view text) {
    const auto value = format_value(std::string{text});
    std::string out = "'";
    for (const char octet : value ? *value : std::string{"\"...\""}) {
        if (octet == '\'') out += "'\\''";
        else out += octet;
    }
    return out + "'";
}

result<addressed_words> read_address_words(std::span<const std::string> words) {
    addressed_words read;
    for (const auto& word : words) {
        if (!is_address_word(word)) break;
        if (auto done = merge_word(read.destination, word); !done) return std::move(done).error();
        read.has_address = true;
        ++read.rest;
    }
    return read;
}

result<address> read_address(std::span<const std::string> words) {
    auto read = read_address_words(words);
    if (!read) return std::move(read).error();
    if (read->rest < words.size()) {
        return {errc::bad_address,
                fmt::format("'{}' is no address; write elements as tag:value, such as app:player", shown(words[read->rest]))};
    }
    return std::move(read->destination);
}

result<command> read_command_words(std::span<const std::string> words) {
    if (words.empty()) return {errc::bad_argument, "the command is missing"};
    const auto& name = words.front();
    if (!is_symbol(name)) {
        return {errc::bad_command,
                fmt::format("'{}' is no command name: expected a letter, then letters, digits, '_', '-', '.'", shown(name))};
    }
    command read{name, {}};
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto argument = parse_value(words[i]);
        if (!argument) {
            return {errc::bad_value, fmt::format("argument {}, '{}', is no value ({}); a string needs its own quotes: {}", i, shown(words[i]),
                                                 describe(argument.error()), shown(quoted_for_shell(words[i])))};
        }
        read.arguments.push_back(std::move(*argument));
    }
    return read;
}

}  // namespace mbus::tools
