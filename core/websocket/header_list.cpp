#include "websocket/header_list.hpp"

#include <algorithm>

namespace mbus::websocket {
namespace {

char lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool same_letters(std::string_view one, std::string_view other) noexcept {
    return std::ranges::equal(one, other, [](char a, char b) { return lower(a) == lower(b); });
}

bool list_has(std::string_view list, std::string_view item, letters how) noexcept {
    while (true) {
        const auto comma = list.find(',');
        const std::string_view each = trim(list.substr(0, comma));
        if (how == letters::exact ? each == item : same_letters(each, item)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

}  // namespace mbus::websocket
