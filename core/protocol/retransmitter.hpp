// One reliable message on its way to one peer: when it is sent again and when it has failed
// (RFC 3259, section 7). Retransmissions 100, 300 and 600 ms after the first transmission, failure
// at 1000 ms: trap R1, reading (c).
#pragma once

#include <chrono>
#include <cstdint>

#include "protocol/time.hpp"

namespace mbus::protocol {

inline constexpr auto retransmit_interval = std::chrono::milliseconds{100};  // T_r, section 10
inline constexpr unsigned retransmissions_max = 3;                           // N_r, section 10

class retransmitter {
public:
    enum class verdict : std::uint8_t { wait, retransmit, give_up };

    // `now`: when the message was sent first.
    explicit retransmitter(time_point now) noexcept : started_(now), deadline_(now + retransmit_interval) {}

    [[nodiscard]] time_point started() const noexcept { return started_; }
    [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
    [[nodiscard]] unsigned transmissions() const noexcept { return transmissions_; }  // N

    verdict advance(time_point now) noexcept;

private:
    time_point started_;
    time_point deadline_;
    unsigned transmissions_ = 1;
};

}  // namespace mbus::protocol
