// SeqNums of entities that outlive the daemon: reserved in blocks, so that after a crash an entity goes
// on above any number it used (docs/mbws.md, section 3).
//
//     put_queue(changes.now(), {.name = name, .sequence = blocks.reserve(handle, 0, put)});
//     blocks.look(now, node, changes);        // end of a turn: reserves further ones in time
//     blocks.release(handle);
//
// One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <unordered_map>

#include "mbws/time.hpp"
#include "protocol/node.hpp"
#include "protocol/sequence.hpp"
#include "router/journal.hpp"

namespace mbusd {

// A block is stored when half of the one before is used. Half a block lasts longer than the look
// interval and a commit at any rate that one host reaches; the legacy dialect has a million numbers.
inline constexpr std::uint32_t sequence_block = 1U << 20;
inline constexpr std::uint32_t sequence_block_legacy = 1U << 17;
inline constexpr std::chrono::milliseconds sequence_look_interval{200};

class sequence_blocks {
public:
    // Stores that the numbers below `bound` may be used.
    using put_function = std::function<void(transaction& to, std::uint32_t bound)>;

    void use_legacy_numbers(bool legacy) noexcept {
        wrap_ = legacy ? mbus::protocol::sequence::wrap::legacy : mbus::protocol::sequence::wrap::rfc;
        block_ = legacy ? sequence_block_legacy : sequence_block;
    }
    // The end of the first block; the caller stores it.
    std::uint32_t reserve(mbus::protocol::entity_handle entity, std::uint32_t first, put_function put) {
        const auto bound = mbus::protocol::sequence::after(first, block_, wrap_);
        blocks_.insert_or_assign(static_cast<std::uint32_t>(entity), reserved{bound, std::move(put)});
        return bound;
    }
    void release(mbus::protocol::entity_handle entity) { blocks_.erase(static_cast<std::uint32_t>(entity)); }

    void look(mbus::mbws::time_point now, const mbus::protocol::node& node, journal& changes) {
        if (now < look_at_) return;
        look_at_ = now + sequence_look_interval;
        for (auto& [handle, each] : blocks_) {
            const auto next = node.next_sequence_number(mbus::protocol::entity_handle{handle});
            if (mbus::protocol::sequence::between(next, each.bound, wrap_) > block_ / 2) continue;
            each.bound = mbus::protocol::sequence::after(next, block_, wrap_);
            each.put(changes.now(), each.bound);
        }
    }

private:
    struct reserved {
        std::uint32_t bound = 0;
        put_function put;
    };
    std::unordered_map<std::uint32_t, reserved> blocks_;  // by handle
    mbus::protocol::sequence::wrap wrap_ = mbus::protocol::sequence::wrap::rfc;
    std::uint32_t block_ = sequence_block;
    mbus::mbws::time_point look_at_{};
};

}  // namespace mbusd
