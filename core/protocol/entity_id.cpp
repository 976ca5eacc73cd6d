#include "protocol/entity_id.hpp"

#include <algorithm>

namespace mbus::protocol {
namespace {

bool is_digit(char octet) noexcept { return octet >= '0' && octet <= '9'; }

bool is_hex_digit(char octet) noexcept {
    return is_digit(octet) || (octet >= 'a' && octet <= 'f') || (octet >= 'A' && octet <= 'F');
}

bool is_number(std::string_view text, std::size_t digits_max) noexcept {
    return !text.empty() && text.size() <= digits_max && std::ranges::all_of(text, is_digit);
}

bool is_ipv4(std::string_view text) noexcept {
    for (int part = 0; part < 3; ++part) {
        const auto dot = text.find('.');
        if (dot == std::string_view::npos || !is_number(text.substr(0, dot), 3)) return false;
        text.remove_prefix(dot + 1);
    }
    return is_number(text, 3);
}

// hexseq: hex4 { ':' hex4 }
bool is_hex_sequence(std::string_view text) noexcept {
    for (;;) {
        const auto colon = text.find(':');
        const auto group = text.substr(0, colon);
        if (group.empty() || group.size() > 4 || !std::ranges::all_of(group, is_hex_digit)) return false;
        if (colon == std::string_view::npos) return true;
        text.remove_prefix(colon + 1);
    }
}

// hexpart: hexseq | hexseq '::' [hexseq] | '::' [hexseq]
bool is_hex_part(std::string_view text) noexcept {
    const auto gap = text.find("::");
    if (gap == std::string_view::npos) return is_hex_sequence(text);
    const auto before = text.substr(0, gap);
    const auto after = text.substr(gap + 2);
    return (before.empty() || is_hex_sequence(before)) && (after.empty() || is_hex_sequence(after));
}

}  // namespace

bool is_host_id(std::string_view value) noexcept {
    if (is_ipv4(value)) return true;
    const auto last_colon = value.rfind(':');
    if (last_colon == std::string_view::npos) return false;
    if (!is_ipv4(value.substr(last_colon + 1))) return is_hex_part(value);
    // hexpart ':' IPv4address; after "::" the colon belongs to both.
    const auto before = value.substr(0, last_colon);
    return is_hex_part(before) || (before.ends_with(':') && is_hex_part(value.substr(0, last_colon + 1)));
}

bool is_entity_id(std::string_view value) noexcept {
    const auto at = value.find('@');
    const auto dash = value.find('-');
    if (at == std::string_view::npos || dash > at) return false;
    return is_number(value.substr(0, dash), 10) && is_number(value.substr(dash + 1, at - dash - 1), 5) &&
           is_host_id(value.substr(at + 1));
}

std::string make_entity_id(std::uint32_t process_id, std::uint32_t number, std::string_view host_id) {
    std::string out = std::to_string(process_id);
    out.append(1, '-').append(std::to_string(number)).append(1, '@').append(host_id);
    return out;
}

}  // namespace mbus::protocol
