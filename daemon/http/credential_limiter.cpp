#include "http/credential_limiter.hpp"

#include <algorithm>

namespace mbusd {

std::optional<std::chrono::seconds> credential_limiter::blocked_for(time_point now, const client_address& who) const {
    const auto found = records_.find(who.subscriber());
    if (found == records_.end() || found->second.blocked_until <= now) return std::nullopt;
    return std::chrono::ceil<std::chrono::seconds>(found->second.blocked_until - now);
}

void credential_limiter::failed(time_point now, const client_address& who) {
    ++total_;
    const auto key = who.subscriber();
    if (!records_.contains(key)) make_room(now);
    auto& mine = records_[key];
    if (mine.in_a_row == 0 || now - mine.last > forgiven_after) mine = {};
    if (now - mine.last > window) mine.in_a_row = 0;
    mine.last = now;
    ++mine.in_a_row;
    if (mine.failures == 0 || now - mine.since > window) {
        mine.since = now;
        mine.failures = 0;
    }
    if (++mine.failures < failures_max) return;
    mine.failures = 0;
    mine.since = now;
    mine.blocked_until = now + pause * (1U << std::min(mine.blocked++, doublings_max));
}

std::chrono::milliseconds credential_limiter::password_delay(time_point now, const client_address& who) const {
    using std::chrono::milliseconds;
    const auto found = records_.find(who.subscriber());
    if (found == records_.end() || found->second.in_a_row == 0) return milliseconds{0};
    const auto& mine = found->second;
    auto delay = password_delay_first;
    for (unsigned i = 1; i < mine.in_a_row && delay < password_delay_max; ++i) delay *= 2;
    const auto left = std::chrono::ceil<milliseconds>(mine.last + std::min(delay, password_delay_max) - now);
    return std::max(left, milliseconds{0});
}

void credential_limiter::make_room(time_point now) {
    if (records_.size() < addresses_max) return;
    std::erase_if(records_, [&](const auto& each) {
        return now - each.second.since > window && each.second.blocked_until <= now;
    });
    if (records_.size() < addresses_max) return;
    records_.erase(std::ranges::min_element(records_, {}, [](const auto& each) { return each.second.since; }));
}

}  // namespace mbusd
