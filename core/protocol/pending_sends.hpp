// Reliable messages that are on their way (RFC 3259, section 7), by (entity, SeqNum).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <mbus/address.hpp>

#include "protocol/node.hpp"
#include "protocol/retransmitter.hpp"
#include "protocol/timer_queue.hpp"

namespace mbus::protocol {

struct pending_send {
    pending_send(timer_queue& timers, time_point now, entity_handle whose, std::uint32_t with_number)
        : from(whose), number(with_number), schedule(now), due(timers, timer::kind::retransmit, this) {
        due.set(schedule.deadline());
    }

    entity_handle from;
    std::uint32_t number;
    send_token token = 0;
    address to;           // full address of the one peer
    std::string message;  // in clear: sealed again for every transmission (trap R10)
    retransmitter schedule;
    timer due;
};

class pending_sends {
public:
    pending_sends() = default;
    pending_sends(const pending_sends&) = delete;
    pending_sends& operator=(const pending_sends&) = delete;

    pending_send& add(timer_queue& timers, time_point now, entity_handle from, std::uint32_t number);

    [[nodiscard]] pending_send* find(entity_handle from, std::uint32_t number) const noexcept;

    // Takes it out; the caller reports how it ended.
    std::unique_ptr<pending_send> take(const pending_send& which);

    // All for which `wanted` says true, oldest first.
    template <class Wanted>
    [[nodiscard]] std::vector<const pending_send*> select(Wanted wanted) const {
        std::vector<const pending_send*> out;
        for (const auto& [key, each] : sends_)
            if (wanted(*each)) out.push_back(each.get());
        sort_by_age(out);
        return out;
    }

    // Counts the octets of a message that was filled in.
    void grew(std::size_t octets) noexcept { octets_ += octets; }

    [[nodiscard]] std::size_t size() const noexcept { return sends_.size(); }
    [[nodiscard]] std::size_t octets() const noexcept { return octets_; }

private:
    static void sort_by_age(std::vector<const pending_send*>& sends);
    static std::uint64_t key(entity_handle from, std::uint32_t number) noexcept {
        return (std::uint64_t{static_cast<std::uint32_t>(from)} << 32U) | number;
    }

    std::unordered_map<std::uint64_t, std::unique_ptr<pending_send>> sends_;
    std::size_t octets_ = 0;
};

}  // namespace mbus::protocol
