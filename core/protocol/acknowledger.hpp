// Acknowledgements that one local entity owes one peer (RFC 3259, section 7): the list with its
// timer TA, and the copy list that repeats what may have got lost.
//
//     acks.received(now, number);            // an R message for us: starts TA if the list was empty
//     acks.deadline();                       // TA; `never` when nothing is owed
//     acks.take(now, numbers);               // for the AckList of a message to that peer alone
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/time.hpp"

namespace mbus::protocol {

inline constexpr auto acknowledge_delay = std::chrono::milliseconds{70};  // T_c, section 10
inline constexpr auto copies_kept = std::chrono::milliseconds{600};       // T_k, section 10
// The third retransmission leaves at T_k exactly and needs its way here (trap R7).
inline constexpr auto copies_slack = std::chrono::milliseconds{100};

class acknowledger {
public:
    // A reliable message arrived, for the first time or again. A number of a list that was sent
    // already calls for the whole list again.
    void received(time_point now, std::uint32_t number);

    // When a dedicated acknowledgement is due.
    [[nodiscard]] time_point deadline() const noexcept { return deadline_; }

    [[nodiscard]] bool empty() const noexcept { return owed_.empty(); }

    // Moves what is owed into `numbers`, at most `limit` of it, and keeps a copy for T_k. What does
    // not fit stays owed, and is due at once.
    void take(time_point now, std::vector<std::uint32_t>& numbers, std::size_t limit);

    // True when nothing is owed and no copy is kept any more: the object can go.
    [[nodiscard]] bool idle(time_point now) const noexcept;

private:
    struct copy {
        std::vector<std::uint32_t> numbers;
        time_point expires;
    };
    void forget_old_copies(time_point now);
    void owe(std::uint32_t number);

    std::vector<std::uint32_t> owed_;
    std::vector<copy> copies_;  // oldest first
    time_point deadline_ = never;
};

}  // namespace mbus::protocol
