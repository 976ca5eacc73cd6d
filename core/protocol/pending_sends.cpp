#include "protocol/pending_sends.hpp"

#include <algorithm>
#include <tuple>

namespace mbus::protocol {

pending_send& pending_sends::add(timer_queue& timers, time_point now, entity_handle from,
                                 std::uint32_t number) {
    auto& place = sends_[key(from, number)];
    place = std::make_unique<pending_send>(timers, now, from, number);
    return *place;
}

pending_send* pending_sends::find(entity_handle from, std::uint32_t number) const noexcept {
    const auto found = sends_.find(key(from, number));
    return found == sends_.end() ? nullptr : found->second.get();
}

std::unique_ptr<pending_send> pending_sends::take(const pending_send& which) {
    const auto found = sends_.find(key(which.from, which.number));
    auto out = std::move(found->second);
    sends_.erase(found);
    octets_ -= out->message.size();
    out->due.cancel();
    return out;
}

void pending_sends::sort_by_age(std::vector<const pending_send*>& sends) {
    std::ranges::sort(sends, {}, [](const pending_send* each) {
        return std::tuple{each->schedule.started(), each->from, each->number};
    });
}

}  // namespace mbus::protocol
