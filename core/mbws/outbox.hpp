// What waits for one client, and what it has not acknowledged yet: the outgoing half of a broker's
// session. Numbers frames, keeps the window, applies the slow-reader policies (docs/mbws.md,
// sections 4 and 5). Used by broker_session only.
//
// One list in the order of sending: [sent, not acknowledged] [to be sent]. With window 0 nothing is
// kept once it was sent. Nodes live in one block and are reused.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mbws/prepared_message.hpp"
#include "mbws/ring.hpp"
#include "mbws/symbols.hpp"
#include "mbws/time.hpp"

namespace mbus::mbws {

// Why a message for a session was dropped.
enum class session_drop : std::uint8_t {
    oldest,      // policy drop-oldest made room
    newest,      // policy drop-newest (or block, when waiting was no option)
    superseded,  // policy latest: a newer one of the same source and first command came
    disconnect,  // policy disconnect
    expired,     // its ttl ended in the queue
    too_large,   // larger than the client's `size`
    ended,       // the session ended with it in the queue
    count_,
};
inline constexpr std::size_t session_drops = static_cast<std::size_t>(session_drop::count_);
[[nodiscard]] std::string_view to_string(session_drop reason) noexcept;

// One frame of the outbox.
struct outbox_entry {
    message_ref content;
    std::uint64_t number = 0;       // 0: not numbered yet
    time_point expires = never;
    std::uint64_t missed = 0;       // told with this frame
    std::uint32_t slot = 0;         // attach that it is for; no_slot for receipts and naks
    std::uint32_t octets = 0;       // charged to the session
    std::uint32_t previous = 0;
    std::uint32_t next = 0;
    bool droppable = false;         // unreliable
    bool nak = false;
    bool settles = false;           // receipt or nak: ends a message of the client
    bool monitor = false;
    bool sent_before = false;       // on an earlier connection
    bool used = false;
};

class outbox {
public:
    static constexpr std::uint32_t none = 0xFFFFFFFF;  // no entry
    static constexpr std::uint32_t no_slot = 0xFFFFFFFF;

    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t messages() const noexcept { return count_; }
    [[nodiscard]] std::size_t octets() const noexcept { return octets_; }

    // Puts an entry at the end.
    std::uint32_t push(outbox_entry entry, bool latest);
    [[nodiscard]] outbox_entry& at(std::uint32_t index) noexcept { return entries_[index]; }
    void remove(std::uint32_t index) noexcept;

    // The first entry that was not sent on this connection, or none.
    [[nodiscard]] std::uint32_t unsent() const noexcept { return unsent_; }
    [[nodiscard]] std::uint32_t head() const noexcept { return head_; }
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    // unsent() was sent: it stays until acknowledged() (or is removed with window 0).
    void mark_sent() noexcept;
    // All is unsent again: a new connection.
    void rewind() noexcept;
    // The entry that drop-oldest takes, or none.
    [[nodiscard]] std::uint32_t oldest_droppable() const noexcept;
    // The entry that a newer one of the same topic has made useless, or none.
    [[nodiscard]] std::uint32_t superseded(std::uint64_t topic, std::uint32_t slot) noexcept;
    // No entry expires before this.
    [[nodiscard]] time_point soonest_expiry() const noexcept { return soonest_expiry_; }
    void set_soonest_expiry(time_point when) noexcept { soonest_expiry_ = when; }
    // Gives memory back when there is nothing in it.
    void trim() noexcept;

private:
    std::vector<outbox_entry> entries_;
    std::uint32_t free_ = none;
    std::uint32_t head_ = none;
    std::uint32_t tail_ = none;
    std::uint32_t unsent_ = none;
    std::size_t count_ = 0;
    std::size_t octets_ = 0;
    std::size_t in_flight_ = 0;
    time_point soonest_expiry_ = never;
};

}  // namespace mbus::mbws
