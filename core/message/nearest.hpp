// "Did you mean ...": the known word that is nearest to a mistyped one. Defined here, so that
// programs that link libmbus may use it.
//
// Thread-safety: pure functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace mbus::text {

// Options, keys and verbs are shorter than this; a longer word is no typing mistake of one.
inline constexpr std::size_t mistyped_octets_max = 64;

// Insertions, deletions, changes and swaps of neighbours that turn `from` into `to`.
[[nodiscard]] inline std::size_t edit_distance(std::string_view from, std::string_view to) {
    const std::size_t width = to.size() + 1;
    std::vector<std::size_t> before(width);  // the last three rows of the table
    std::vector<std::size_t> last(width);
    std::vector<std::size_t> row(width);
    for (std::size_t x = 0; x < width; ++x) row[x] = x;
    for (std::size_t y = 1; y <= from.size(); ++y) {
        std::swap(before, last);
        std::swap(last, row);
        row[0] = y;
        for (std::size_t x = 1; x < width; ++x) {
            const std::size_t change = from[y - 1] == to[x - 1] ? 0 : 1;
            row[x] = std::min({last[x] + 1, row[x - 1] + 1, last[x - 1] + change});
            const bool swapped = y > 1 && x > 1 && from[y - 1] == to[x - 2] && from[y - 2] == to[x - 1];
            if (swapped) row[x] = std::min(row[x], before[x - 2] + 1);
        }
    }
    return row[to.size()];
}

// The one of `known` with the fewest mistakes, at most a third of the longer word (at least one),
// or the first that `word` begins; the first of equals. Nothing when all are too far away.
[[nodiscard]] inline std::optional<std::string_view> nearest(std::string_view word,
                                                             std::span<const std::string_view> known) {
    if (word.empty() || word.size() > mistyped_octets_max) return std::nullopt;
    std::optional<std::string_view> best;
    std::size_t fewest = 0;
    for (const auto candidate : known) {
        const std::size_t mistakes = candidate.starts_with(word) ? 0 : edit_distance(word, candidate);
        if (mistakes > std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3)) continue;
        if (best && mistakes >= fewest) continue;
        best = candidate;
        fewest = mistakes;
    }
    return best;
}

}  // namespace mbus::text
