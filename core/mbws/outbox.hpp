// What waits for one client, and what it has not acknowledged yet: the outgoing half of a broker's
// session. Numbers frames, keeps the window, applies the slow-reader policies (docs/mbws.md,
// sections 4 and 5). Used by broker_session only.
//
// One list in the order of sending: [sent, not acknowledged] [to be sent]. With window 0 nothing is
// kept once it was sent. Nodes live in one block and are reused. Messages that came as a run stay one entry as
// far as they can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mbws/message_run.hpp"
#include "mbws/prepared_message.hpp"
#include "mbws/symbols.hpp"
#include "mbws/time.hpp"
#include "message/ring.hpp"

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
    limit,       // too much waits for the client's user: a limit of the host, not of the session
    count_,
};
inline constexpr std::size_t session_drops = static_cast<std::size_t>(session_drop::count_);
[[nodiscard]] std::string_view to_string(session_drop reason) noexcept;

// One frame of the outbox.
struct outbox_entry {
    message_ref content;
    std::uint64_t number = 0;  // 0: not numbered yet
    time_point expires = never;
    std::uint64_t about = 0;   // nak: the number that may be acknowledged after it; reliable message on a
                               // link: who waits for its outcome; is_job: delivery::job; is_run: messages
                               // and where they stand in `content`
    std::uint32_t missed = 0;  // told with this frame
    std::uint32_t slot = 0;    // attach that it is for; no_slot for receipts and naks
    std::uint32_t octets = 0;  // charged to the session
    bool droppable : 1 = false;    // unreliable: a full queue may drop it while it has no number
    bool settles : 1 = false;      // receipt or nak: ends a message of the client
    bool monitor : 1 = false;
    bool latest : 1 = false;       // policy latest
    bool sent_before : 1 = false;  // on an earlier connection
    bool redelivered : 1 = false;  // delivery::redelivered
    bool withdrawn : 1 = false;    // the client refused this job: its number goes out without it
    bool is_job : 1 = false;
    bool is_run : 1 = false;       // several messages (message_run); `number` is the first one's

    [[nodiscard]] std::uint64_t job() const noexcept { return is_job ? about : 0; }
    void set_job(std::uint64_t job) noexcept {
        about = job;
        is_job = job != 0;
    }
    [[nodiscard]] std::size_t messages() const noexcept { return is_run ? about >> 32 : 1; }
    [[nodiscard]] std::size_t run_at() const noexcept { return about & 0xFFFFFFFF; }
    void set_run(std::size_t at, std::size_t messages) noexcept {
        about = std::uint64_t{messages} << 32 | at;
        is_run = true;
    }
    // Of a run.
    [[nodiscard]] run_piece piece() const {
        return {content, run_at(), messages(), message_run::octets_of(content, run_at(), messages()), number, 0};
    }
    // Number of the message that this nak is about.
    [[nodiscard]] std::uint64_t nak_about() const noexcept { return settles ? about : 0; }
};

class outbox {
public:
    static constexpr std::uint32_t none = 0xFFFFFFFF;  // no entry
    static constexpr std::uint32_t no_slot = 0xFFFFFFFF;
    static constexpr std::size_t idle_nodes = 8;  // trim() leaves as many

    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t messages() const noexcept { return count_; }
    [[nodiscard]] std::size_t octets() const noexcept { return octets_; }

    // Puts an entry at the end. It names entries by index until they are removed.
    std::uint32_t push(outbox_entry entry);
    [[nodiscard]] outbox_entry& at(std::uint32_t index) noexcept { return nodes_[index].entry; }
    [[nodiscard]] const outbox_entry& at(std::uint32_t index) const noexcept { return nodes_[index].entry; }
    void remove(std::uint32_t index) noexcept;
    // A run becomes two entries: `messages` and the rest. `octets` are charged for the first.
    void split(std::uint32_t index, std::size_t messages, std::uint32_t octets);
    // The first `messages` of a run that was sent are done with.
    void cut_front(std::uint32_t index, std::size_t messages, std::uint32_t octets) noexcept;

    [[nodiscard]] std::uint32_t head() const noexcept { return head_; }
    [[nodiscard]] std::uint32_t after(std::uint32_t index) const noexcept { return nodes_[index].next; }
    // The first entry that was not sent on this connection, or none.
    [[nodiscard]] std::uint32_t unsent() const noexcept { return unsent_; }
    // Serial numbers rise with every push(): the oldest entry that is here, and the newest ever.
    [[nodiscard]] std::uint64_t front_serial() const noexcept { return head_ == none ? serial_ + 1 : full_serial(nodes_[head_]); }
    [[nodiscard]] std::uint64_t last_serial() const noexcept { return serial_; }
    // Messages sent on this connection and not removed.
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    // unsent() was sent and stays until it is removed (acknowledged).
    void mark_sent() noexcept;
    // All is unsent again: a new connection.
    void rewind() noexcept;

    // The entry that goes first when room is needed: the oldest that is droppable and has no number.
    [[nodiscard]] std::uint32_t oldest_droppable() const noexcept { return droppable_; }
    // Policy latest: an entry that a newer one has made useless, the one of `entry`'s own topic
    // first; none if there is no such entry.
    [[nodiscard]] std::uint32_t superseded(std::uint64_t topic, std::uint32_t slot) noexcept;
    // No entry expires before this.
    [[nodiscard]] time_point soonest_expiry() const noexcept { return soonest_expiry_; }
    void set_soonest_expiry(time_point when) noexcept { soonest_expiry_ = when; }
    // Gives memory back when the outbox is empty; is there any to give?
    void trim() noexcept;
    [[nodiscard]] bool trimmable() const noexcept { return count_ == 0 && nodes_.capacity() > idle_nodes; }

private:
    struct node {
        outbox_entry entry;
        std::uint32_t serial = 0;  // of the entry, its lower bits; 0: free
        std::uint32_t previous = none;
        std::uint32_t next = none;
        bool in_flight = false;
    };
    static_assert(sizeof(node) == 64, "one line of the cache: a queue of many is walked through often");
    struct mark {
        std::uint32_t index = none;
        std::uint32_t serial = 0;
    };
    [[nodiscard]] std::uint64_t full_serial(const node& of) const noexcept {
        return serial_ - static_cast<std::uint32_t>(static_cast<std::uint32_t>(serial_) - of.serial);
    }
    [[nodiscard]] bool may_drop(std::uint32_t index) const noexcept {
        return nodes_[index].entry.droppable && nodes_[index].entry.number == 0;
    }
    std::uint32_t free_node();
    void skip_to_droppable(std::uint32_t from) noexcept;
    void forget_stale_marks();
    static std::uint64_t topic_of(const outbox_entry& entry) noexcept;

    std::vector<node> nodes_;
    std::uint32_t free_ = none;
    std::uint32_t head_ = none;
    std::uint32_t tail_ = none;
    std::uint32_t unsent_ = none;
    std::uint32_t droppable_ = none;
    std::uint64_t serial_ = 0;
    std::size_t count_ = 0;
    std::size_t octets_ = 0;
    std::size_t in_flight_ = 0;
    time_point soonest_expiry_ = never;
    // Policy latest; most sessions never use it.
    struct latest {
        std::unordered_map<std::uint64_t, std::uint32_t> newest;  // topic -> entry
        ring<mark> superseded;
    };
    std::unique_ptr<latest> latest_;
};

}  // namespace mbus::mbws
