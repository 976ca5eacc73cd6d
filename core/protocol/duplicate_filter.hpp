// Decides whether a message of one source was seen before (trap R3), is plainly an old one played
// again (trap C10), or is new. Numbers may restart below what was seen (trap R9).
#pragma once

#include <chrono>
#include <cstdint>

#include "protocol/number_window.hpp"
#include "protocol/time.hpp"

namespace mbus::protocol {

class duplicate_filter {
public:
    // A number below the window with a TimeStamp this much older than the newest one is no restart.
    static constexpr std::uint64_t plausible_age_ms = 10'000;

    enum class verdict : std::uint8_t { fresh, duplicate, replayed };

    [[nodiscard]] verdict look(std::uint32_t number, std::uint64_t timestamp) const noexcept;

    // The same for a source that was silent or gone, and may have started anew since: a number
    // that was seen counts only when its TimeStamp does not lie after everything heard from it.
    [[nodiscard]] verdict look_after_silence(std::uint32_t number, std::uint64_t timestamp) const noexcept;

    void remember(std::uint32_t number, std::uint64_t timestamp, time_point now);

    [[nodiscard]] std::uint64_t newest_timestamp() const noexcept { return newest_timestamp_; }

private:
    number_window recent_;     // the numbers the source uses now
    number_window restarted_;  // after a number below `recent_`: the source began anew, or was delayed
    time_point recent_used_{};
    std::uint64_t newest_timestamp_ = 0;
};

}  // namespace mbus::protocol
