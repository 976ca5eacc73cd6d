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
    if (mine.failures == 0 || now - mine.since > window) mine = {.since = now, .blocked_until = mine.blocked_until};
    if (++mine.failures < failures_max) return;
    mine = {.since = now, .blocked_until = now + pause};
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
