// Small readings of header values and URLs (RFC 9110, section 5.6; RFC 3986, section 2.1).
//
// Thread-safety: pure functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mbusd::http {

[[nodiscard]] constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Equal whatever the case of ASCII letters.
[[nodiscard]] constexpr bool same_word(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, {}, lower, lower);
}

[[nodiscard]] std::string lowered(std::string_view text);

// Without blanks and tabs at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

// True when `wanted` holds for an item of a list separated by commas.
template <class Predicate>
[[nodiscard]] bool any_item(std::string_view list, Predicate wanted) {
    for (std::size_t at = 0; at <= list.size();) {
        const auto comma = std::min(list.find(',', at), list.size());
        if (wanted(trimmed(list.substr(at, comma - at)))) return true;
        at = comma + 1;
    }
    return false;
}

// "%2F" -> "/"; nothing for a '%' without two digits and for NUL.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_blank);

// "a=1&b=two+words" -> pairs, decoded; nothing when one can't be decoded.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>> query_pairs(std::string_view query);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7).
[[nodiscard]] std::string http_date(long long seconds_since_1970);

}  // namespace mbusd::http
