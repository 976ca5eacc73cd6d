// The incoming half of a numbered direction (docs/mbws.md, section 4): checks numbers, keeps what is
// not taken over yet, and says when an `ack` is due. Used by link_session.
//
//     switch (intake.take(frame.number, window)) ...
//     intake.mark(frame.number, true);                 // routed, or true later: take_over(number)
//     if (intake.note(now, window)) write_ack(intake.acknowledge());
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "mbws/time.hpp"
#include "message/ring.hpp"

namespace mbus::mbws {

class number_intake {
public:
    enum class outcome : std::uint8_t { fresh, duplicate, skipped, beyond_window };

    // One numbered frame came.
    outcome take(time_point now, std::uint64_t number, std::uint32_t window) noexcept {
        if (number != 0 && number <= received_) {
            due_ = now;  // its ack may have been lost with a connection
            return outcome::duplicate;
        }
        if (number != received_ + 1) return outcome::skipped;
        if (number > acknowledged_ + window) return outcome::beyond_window;
        received_ = number;
        return outcome::fresh;
    }

    // Right after take() said fresh: is it taken over already?
    void mark(std::uint64_t number, bool done) {
        if (done && open_.empty()) {
            taken_ = number;
        } else {
            open_.push_back(static_cast<std::uint8_t>(done));
        }
    }
    void take_over(std::uint64_t number) noexcept {
        const std::uint64_t index = number - taken_ - 1;
        if (number <= taken_ || index >= open_.size()) return;
        open_[index] = 1;
        while (!open_.empty() && open_.front() != 0) {
            open_.pop_front();
            ++taken_;
        }
    }

    // The nak of message `number` waits to be sent: its ack has to follow it.
    void nak_waits(std::uint64_t number) { naks_.push_back(number); }
    void nak_sent() noexcept {
        if (!naks_.empty()) naks_.pop_front();
    }
    void forget_naks() noexcept { naks_.clear(); }

    [[nodiscard]] std::uint64_t acknowledgeable() const noexcept {
        return naks_.empty() ? taken_ : std::min(taken_, naks_.front() - 1);
    }
    // True when an ack has to go out at once; else due() says when.
    [[nodiscard]] bool note(time_point now, std::uint32_t window, std::chrono::milliseconds delay) noexcept {
        const std::uint64_t ready = acknowledgeable();
        if (ready <= acknowledged_) return false;
        if (ready - acknowledged_ >= std::max<std::uint64_t>(1, window / 4)) return true;
        due_ = std::min(due_, now + delay);
        return false;
    }
    // The number for an ack (or `received`) that is written now.
    std::uint64_t acknowledge() noexcept {
        acknowledged_ = std::max(acknowledged_, acknowledgeable());
        due_ = never;
        return acknowledged_;
    }
    [[nodiscard]] time_point due() const noexcept { return due_; }
    // The connection has gone: nothing can be acknowledged.
    void pause() noexcept { due_ = never; }
    // A new session.
    void reset() noexcept {
        received_ = taken_ = acknowledged_ = 0;
        due_ = never;
        open_.clear();
        naks_.clear();
    }

private:
    std::uint64_t received_ = 0;      // highest number that came
    std::uint64_t taken_ = 0;         // all up to this are taken over
    std::uint64_t acknowledged_ = 0;  // highest ack written
    time_point due_ = never;
    ring<std::uint8_t> open_;   // of taken_ + 1 and on: done already?
    ring<std::uint64_t> naks_;  // numbers whose nak must go out before their ack
};

}  // namespace mbus::mbws
