// Which of the last sequence numbers of one source were seen, on the circle of 2^32 (trap R3).
//
// Starts with 1024 numbers and doubles for sources that use them up in less than ten seconds, so
// that a retransmission 600 ms later still falls into the window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/time.hpp"

namespace mbus::protocol {

class number_window {
public:
    static constexpr std::size_t capacity_min = 1024;
    static constexpr std::size_t capacity_max = 131072;  // 16 KiB; T_k at 200 000 messages a second
    static constexpr auto remembered = std::chrono::seconds{10};

    enum class place : std::uint8_t { fresh, seen, below };

    // `below`: older than the window reaches.
    [[nodiscard]] place look(std::uint32_t number) const noexcept;

    // Marks `number` as seen; one below the window restarts the window there.
    void remember(std::uint32_t number, time_point now);

    void clear() noexcept;

    [[nodiscard]] bool empty() const noexcept { return bits_.empty(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return bits_.size() * 64; }

private:
    [[nodiscard]] bool test(std::uint32_t number) const noexcept;
    void assign(std::uint32_t number, bool seen) noexcept;
    void restart(std::uint32_t number, time_point now);
    void move_to(std::uint32_t number, time_point now);
    void grow_if_fast(time_point now);

    std::vector<std::uint64_t> bits_;  // a ring: the bit of n is n mod capacity
    std::uint32_t newest_ = 0;
    std::uint32_t mark_ = 0;  // the newest number when the window began to fill...
    time_point marked_{};     // ...and when that was
};

}  // namespace mbus::protocol
