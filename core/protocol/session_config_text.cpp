#include "protocol/session_config_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

namespace mbus::protocol {
namespace {

// Octets of the well-formed UTF-8 character that `text` starts with; 0 for an ill-formed one or a NUL.
std::size_t character_octets(std::string_view text) noexcept {
    const auto at = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const unsigned lead = at(0);
    if (lead < 0x80) return lead == 0 ? 0 : 1;
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
    for (std::size_t index = 1; index < size; ++index) {
        if ((at(index) & 0xC0U) != 0x80U) return 0;
    }
    const unsigned second = at(1);
    const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    const bool outside = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
    return overlong || outside ? 0 : size;
}

}  // namespace

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

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t octets = character_octets(text);
        if (octets == 0) return false;
        text.remove_prefix(octets);
    }
    return true;
}

std::size_t distance(std::string_view from, std::string_view to) {
    std::array<std::size_t, 32> row{};
    for (std::size_t at = 0; at <= to.size(); ++at) row[at] = at;
    for (std::size_t y = 1; y <= from.size(); ++y) {
        std::size_t diagonal = std::exchange(row[0], y);
        for (std::size_t x = 1; x <= to.size(); ++x) {
            const std::size_t change = diagonal + (from[y - 1] == to[x - 1] ? 0U : 1U);
            diagonal = row[x];
            row[x] = std::min({row[x] + 1, row[x - 1] + 1, change});
        }
    }
    return row[to.size()];
}

std::optional<unsigned long> number(std::string_view text, std::size_t digits_max) {
    unsigned long found = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), found);
    if (text.size() > digits_max || failure != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return found;
}

}  // namespace mbus::protocol
