// Octets that wait to be written to a connection. Small frames stand in one run of octets, large
// bodies of messages are written from where they are. Allocates nothing in steady traffic; with a
// pool, a queue that has written everything can hand its memory to the next that needs some.
//
//     char* room = queue.begin_frame(octets);         // fill it at once
//     queue.share(message, body);                     // what the frame goes on with, by reference
//     queue.consumed(writev(spans, queue.gather(spans)));
//
// overtake() puts a short frame before what has not begun yet, so that it doesn't wait behind large
// messages. Not thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mbws/prepared_message.hpp"
#include "message/ring.hpp"

namespace mbus::mbws {

// A piece of output, for struct iovec. Not initialized: writers make arrays of hundreds, and use a few.
struct octet_span {
    const char* data;
    std::size_t size;
};

class output_queue {
    // A piece of run_ that begins with a frame (owner == null), a piece of a message that
    // ends one, or whole frames.
    struct segment {
        std::size_t octets = 0;
        const char* shared = nullptr;
        message_ref owner;
    };
    struct memory {
        std::string run;
        ring<segment> segments;
    };

public:
    // Memory that queues of one thread use in turn. It outlives them.
    class memory_pool {
    private:
        friend class output_queue;
        std::vector<memory> spare_;
        std::size_t octets_ = 0;  // capacity of all runs
    };

    // Room for a frame, or for the part of it before share(), at the end of what waits.
    char* begin_frame(std::size_t octets);
    // The rest of the frame, or whole frames: `octets`, which `owner` keeps alive.
    void share(const message_ref& owner, std::string_view octets);

    // A whole frame that may go out before others: at the next end of a frame, but not before what
    // stood here at the last hold_order().
    void overtake(std::string_view frame);
    // Nothing overtakes what waits now.
    void hold_order() noexcept { held_ = segments_.size(); }

    // Octets of frames that overtake others.
    [[nodiscard]] std::size_t ahead() const noexcept { return ahead_.size() - ahead_at_; }
    // Octets that wait.
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
    // Fills `out` from the front of what waits; how many were used.
    std::size_t gather(std::span<octet_span> out) const noexcept;
    // The first `octets` of what waits were written (or given up).
    void consumed(std::size_t octets) noexcept;

    // Gives memory back that was needed for a burst. For a connection that has been quiet for a
    // while; in steady traffic the memory is used again.
    void trim() noexcept;
    // From here on memory comes from `pool`, and give_back() takes it there.
    void use(memory_pool& pool) noexcept { pool_ = &pool; }
    // Holds no memory any more if nothing waits. For the end of a turn.
    void give_back();

private:
    void borrow() noexcept;
    void compact() noexcept;

    std::string run_;
    std::size_t run_at_ = 0;  // what of it was written
    ring<segment> segments_;  // in order
    bool begun_ = false;      // a part of the segment in front was written
    std::size_t waiting_ = 0;
    std::string ahead_;          // frames that overtake
    std::size_t ahead_at_ = 0;   // what of them was written
    std::size_t ahead_of_ = 0;   // so many segments go before them
    std::size_t held_ = 0;       // so many segments are not overtaken
    memory_pool* pool_ = nullptr;
};

}  // namespace mbus::mbws
