// Messages on their way to receivers, used again when the last receiver has let go of one, so that
// the usual message costs no allocation. Who wants to keep a message keeps its shared_ptr; a
// weak_ptr does not hold its content.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "protocol/node.hpp"

namespace mbus::protocol {

class inbound_pool {
public:
    // A message of our own to fill in; every field has to be set.
    std::shared_ptr<inbound> take() {
        // Who looks at one message at a time lets go of the one before when it gets the next: two places take turns.
        const std::size_t before = (next_ + slots_.size() - 1) % slots_.size();
        for (const auto place : {next_, before}) {
            if (!is_free(slots_[place])) continue;
            next_ = place;
            return slots_[place];
        }
        next_ = (next_ + 1) % slots_.size();
        auto& other = slots_[next_];
        if (!is_free(other)) other = std::make_shared<inbound>();
        return other;
    }

private:
    static bool is_free(const std::shared_ptr<inbound>& slot) noexcept {
        if (!slot || slot.use_count() != 1) return false;
        // Its last receiver may have been another thread.
        std::atomic_thread_fence(std::memory_order_acquire);
        return slot->payload.capacity() <= kept_octets_max;
    }

    static constexpr std::size_t kept_octets_max = 65536;  // a datagram's; larger ones are freed with their message
    static constexpr std::size_t slots_max = 32;

    std::array<std::shared_ptr<inbound>, slots_max> slots_;
    std::size_t next_ = 0;
};

}  // namespace mbus::protocol
