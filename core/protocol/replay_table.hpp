// What the modern profile has seen from whom, so that no datagram is taken twice
// (docs/modern-profile.md, "Replay").
//
//     replay_table seen;
//     if (seen.admit({sender, number, time_ms}, wall_ms) != replay_table::verdict::fresh) drop();
//
// Only authentic numbers may come in: the caller has checked the MAC. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace mbus::protocol {

// Numbers below the highest one that are still told apart. The kernel reorders within a batch
// of 64 datagrams, and IPv4 and IPv6 copies of one burst interleave; 1024 is far beyond both.
inline constexpr std::uint64_t replay_window = 1024;

// A sender that is not remembered is taken only when its time is this close to ours. Hosts on one link
// keep time within a second by NTP; half a minute forgives one that is set by hand.
inline constexpr std::uint64_t freshness_ms = 30'000;

// One sender per daemon start, 190 octets each.
inline constexpr std::size_t replay_senders_max = 4096;

class replay_table {
public:
    // What the datagram carries (docs/modern-profile.md, "Nonce").
    struct mark {
        std::uint64_t sender = 0;   // random, one per envelope
        std::uint64_t number = 0;   // rises with each datagram of the sender
        std::uint64_t time_ms = 0;  // wall clock of the sender
    };

    enum class verdict : std::uint8_t {
        fresh,     // never seen; remembered now
        replayed,  // seen, or too old to tell
        full,      // a new sender, and every remembered one is too recent to be forgotten
    };

    explicit replay_table(std::size_t senders_max = replay_senders_max) noexcept
        : senders_max_(senders_max) {}

    verdict admit(const mark& what, std::uint64_t wall_ms);

    [[nodiscard]] std::size_t senders() const noexcept { return senders_.size(); }

private:
    struct sender_state {
        std::uint64_t first = 0;  // the number it was first heard with
        std::uint64_t highest = 0;
        std::uint64_t newest_ms = 0;
        std::array<std::uint64_t, replay_window / 64> seen{};  // bit (number mod replay_window)
    };

    static bool take(sender_state& state, const mark& what, std::uint64_t wall_ms) noexcept;
    bool make_room(std::uint64_t wall_ms);

    std::size_t senders_max_;
    std::uint64_t forgotten_ms_ = 0;  // nobody forgotten has sent anything later than this
    std::unordered_map<std::uint64_t, sender_state> senders_;
};

}  // namespace mbus::protocol
