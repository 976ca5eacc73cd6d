#include "protocol/acknowledger.hpp"

#include <algorithm>

#include "protocol/limits.hpp"

namespace mbus::protocol {

void acknowledger::owe(std::uint32_t number) {
    if (std::ranges::find(owed_, number) == owed_.end()) owed_.push_back(number);
}

void acknowledger::received(time_point now, std::uint32_t number) {
    forget_old_copies(now);
    const auto holds = [number](const copy& kept) {
        return std::ranges::find(kept.numbers, number) != kept.numbers.end();
    };
    if (const auto kept = std::ranges::find_if(copies_, holds); kept != copies_.end()) {
        for (const auto each : kept->numbers) owe(each);
        copies_.erase(kept);  // comes back when the list is sent again
    } else {
        owe(number);
    }
    if (deadline_ == never) deadline_ = now + acknowledge_delay;
    if (owed_.size() >= acknowledgements_per_message) deadline_ = now;
}

void acknowledger::take(time_point now, std::vector<std::uint32_t>& numbers, std::size_t limit) {
    if (owed_.empty()) return;
    forget_old_copies(now);
    const auto count = std::min(limit, owed_.size());
    const auto end = owed_.begin() + static_cast<std::ptrdiff_t>(count);
    copy kept{{owed_.begin(), end}, now + copies_kept + copies_slack};
    numbers.insert(numbers.end(), owed_.begin(), end);
    owed_.erase(owed_.begin(), end);
    if (copies_.size() == acknowledgement_copies_max) copies_.erase(copies_.begin());
    copies_.push_back(std::move(kept));
    deadline_ = owed_.empty() ? never : now;
}

bool acknowledger::idle(time_point now) const noexcept {
    return owed_.empty() && (copies_.empty() || copies_.back().expires <= now);
}

void acknowledger::forget_old_copies(time_point now) {
    const auto current =
        std::ranges::find_if(copies_, [now](const copy& kept) { return kept.expires > now; });
    copies_.erase(copies_.begin(), current);
}

}  // namespace mbus::protocol
