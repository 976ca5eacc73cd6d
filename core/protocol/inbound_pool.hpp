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
        auto& slot = slots_[next_];
        if (slot && slot.use_count() == 1) {
            // Its last receiver may have been another thread.
            std::atomic_thread_fence(std::memory_order_acquire);
            if (slot->payload.capacity() <= kept_octets_max) return slot;
        }
        next_ = (next_ + 1) % slots_.size();
        auto& other = slots_[next_];
        if (!other || other.use_count() != 1 || other->payload.capacity() > kept_octets_max)
            other = std::make_shared<inbound>();
        else
            std::atomic_thread_fence(std::memory_order_acquire);
        return other;
    }

private:
    static constexpr std::size_t kept_octets_max = 4096;  // larger payloads are freed with their message
    static constexpr std::size_t slots_max = 32;

    std::array<std::shared_ptr<inbound>, slots_max> slots_;
    std::size_t next_ = 0;
};

}  // namespace mbus::protocol
