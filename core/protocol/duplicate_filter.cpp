#include "protocol/duplicate_filter.hpp"

#include <algorithm>
#include <utility>

namespace mbus::protocol {

duplicate_filter::verdict duplicate_filter::look(std::uint32_t number,
                                                 std::uint64_t timestamp) const noexcept {
    switch (recent_.look(number)) {
    case number_window::place::fresh: return verdict::fresh;
    case number_window::place::seen: return verdict::duplicate;
    case number_window::place::below: break;
    }
    if (timestamp + plausible_age_ms < newest_timestamp_) return verdict::replayed;
    return restarted_.look(number) == number_window::place::seen ? verdict::duplicate : verdict::fresh;
}

duplicate_filter::verdict duplicate_filter::look_after_silence(std::uint32_t number,
                                                               std::uint64_t timestamp) const noexcept {
    const auto found = look(number, timestamp);
    if (found == verdict::duplicate && timestamp > newest_timestamp_) return verdict::fresh;
    return found;
}

void duplicate_filter::remember(std::uint32_t number, std::uint64_t timestamp, time_point now) {
    newest_timestamp_ = std::max(newest_timestamp_, timestamp);
    if (recent_.look(number) != number_window::place::below) {
        recent_.remember(number, now);
        recent_used_ = now;
        return;
    }
    restarted_.remember(number, now);
    // The earlier numbers are out of use: when the source comes to them again, they are new.
    if (now - recent_used_ < number_window::remembered) return;
    recent_ = std::exchange(restarted_, {});
    recent_used_ = now;
}

}  // namespace mbus::protocol
