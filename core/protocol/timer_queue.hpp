// Timers of the engine in one heap: setting, moving and cancelling cost O(log n), asking for the
// next one costs nothing.
//
// A `timer` is a member of what it wakes, is known by its address and must not move. Its queue
// outlives it; destroying a timer cancels it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "protocol/time.hpp"

namespace mbus::protocol {

class timer_queue;

class timer {
public:
    enum class kind : std::uint8_t { hello, acknowledge, retransmit };

    timer(timer_queue& queue, kind what, void* owner) noexcept : queue_(&queue), owner_(owner), what_(what) {}
    ~timer();
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;

    // Runs at `at`; `never` cancels it.
    void set(time_point at);
    void cancel() noexcept;

    [[nodiscard]] time_point at() const noexcept { return at_; }
    [[nodiscard]] kind what() const noexcept { return what_; }
    // What it wakes; its type follows from kind.
    [[nodiscard]] void* owner() const noexcept { return owner_; }

private:
    friend class timer_queue;
    static constexpr std::size_t idle = std::numeric_limits<std::size_t>::max();

    timer_queue* queue_;
    void* owner_;
    time_point at_ = never;
    std::size_t position_ = idle;
    kind what_;
};

class timer_queue {
public:
    timer_queue() = default;
    timer_queue(const timer_queue&) = delete;
    timer_queue& operator=(const timer_queue&) = delete;

    [[nodiscard]] time_point next() const noexcept { return heap_.empty() ? never : heap_.front()->at_; }

    // Takes out a timer that is due; null when there is none.
    timer* take_due(time_point now) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

private:
    friend class timer;
    void put(timer& which, std::size_t position) noexcept;
    void rise(timer& which, std::size_t position) noexcept;
    void sink(timer& which, std::size_t position) noexcept;
    void remove(timer& which) noexcept;

    std::vector<timer*> heap_;  // earliest first, a binary heap
};

}  // namespace mbus::protocol
