#include "protocol/session_config_text.hpp"

#include <charconv>
#include <system_error>

namespace mbus::protocol {

std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_plain_word(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 20 &&
           text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == std::string_view::npos;
}

std::string shown(std::string_view text, std::string_view allowed, std::size_t longest) {
    if (text.empty()) return "nothing";
    if (text.size() > longest || text.find_first_not_of(allowed) != std::string_view::npos)
        return "something else";
    return "'" + std::string{text} + "'";
}

std::optional<unsigned long> number(std::string_view text, std::size_t digits_max) {
    unsigned long found = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), found);
    if (text.size() > digits_max || failure != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return found;
}

}  // namespace mbus::protocol
