#include "protocol/replay_table.hpp"

#include <algorithm>

namespace mbus::protocol {
namespace {

bool is_fresh(std::uint64_t time_ms, std::uint64_t wall_ms) noexcept {
    return (time_ms > wall_ms ? time_ms - wall_ms : wall_ms - time_ms) <= freshness_ms;
}

std::size_t word_of(std::uint64_t number) noexcept {
    return static_cast<std::size_t>(number % replay_window / 64);
}
std::uint64_t bit_of(std::uint64_t number) noexcept { return std::uint64_t{1} << number % 64; }

}  // namespace

replay_table::verdict replay_table::admit(const mark& what, std::uint64_t wall_ms) {
    if (const auto known = senders_.find(what.sender); known != senders_.end()) {
        return take(known->second, what, wall_ms) ? verdict::fresh : verdict::replayed;
    }
    if (!is_fresh(what.time_ms, wall_ms) || (forgotten_ms_ != 0 && what.time_ms <= forgotten_ms_)) {
        return verdict::replayed;
    }
    if (senders_.size() >= senders_max_ && !make_room(wall_ms)) return verdict::full;
    sender_state state{.first = what.number, .highest = what.number, .newest_ms = what.time_ms};
    state.seen[word_of(what.number)] |= bit_of(what.number);
    senders_.emplace(what.sender, state);
    return verdict::fresh;
}

bool replay_table::take(sender_state& state, const mark& what, std::uint64_t wall_ms) noexcept {
    if (what.number > state.highest) {
        // The slots of the numbers that are skipped belonged to numbers a window older.
        const std::uint64_t steps = std::min(what.number - state.highest, replay_window);
        for (std::uint64_t step = 0; step < steps; ++step) {
            state.seen[word_of(what.number - step)] &= ~bit_of(what.number - step);
        }
        state.highest = what.number;
    } else {
        if (state.highest - what.number >= replay_window) return false;
        if ((state.seen[word_of(what.number)] & bit_of(what.number)) != 0) return false;
        // Sent before we first heard this sender: we may have forgotten it since (a restart).
        if (what.number < state.first && !is_fresh(what.time_ms, wall_ms)) return false;
    }
    state.seen[word_of(what.number)] |= bit_of(what.number);
    state.newest_ms = std::max(state.newest_ms, what.time_ms);
    return true;
}

// Forgets the sender that has been silent longest, if none of its datagrams would pass as fresh.
// `forgotten_ms_` keeps that true when our clock is set back later.
bool replay_table::make_room(std::uint64_t wall_ms) {
    const auto oldest = std::min_element(senders_.begin(), senders_.end(), [](const auto& a, const auto& b) {
        return a.second.newest_ms < b.second.newest_ms;
    });
    if (oldest == senders_.end()) return false;
    const std::uint64_t newest_ms = oldest->second.newest_ms;
    if (newest_ms >= wall_ms || wall_ms - newest_ms <= freshness_ms) return false;
    forgotten_ms_ = std::max(forgotten_ms_, newest_ms);
    senders_.erase(oldest);
    return true;
}

}  // namespace mbus::protocol
