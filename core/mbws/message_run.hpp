// Messages that follow each other from one sender to one destination, as the frames that all their receivers
// get: written once, and handed to each receiver in one piece.
//
//     message_run run{preparer};
//     if (run.begin("(app:player)", from)) {
//         run.add(wall_ms, body);                     // false: full
//         for (auto& receiver : receivers) receiver.offer_run(now, run, {...});
//         run.end();
//     }
//
// The frames bring their two addresses by number (docs/mbws.md, section 2.6), which is the same for all receivers
// that remember addresses_of_broker of them. A run holds plain messages only: commands, unreliable, unnumbered,
// without a time to live. Thread-safety: none; preparer outlives the run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mbws/prepared_message.hpp"

namespace mbus::mbws {

struct run_piece;

class message_run {
public:
    // Octets of frames in one run. What a socket takes at once is not more, and two or three fit the cache.
    static constexpr std::size_t octets_max = std::size_t{128} * 1024;
    // Larger bodies go alone, by reference.
    static constexpr std::size_t body_octets_max = 16 * 1024;
    // So no frame of a run is longer than this, its two addresses included.
    static constexpr std::size_t largest_frame = body_octets_max + 2 * numbered_address_max + 64;

    explicit message_run(message_preparer& preparer) noexcept : preparer_(preparer) {}
    message_run(const message_run&) = delete;
    message_run& operator=(const message_run&) = delete;

    // The run must be empty. False when it can't carry these addresses: both would have one number, or they
    // are too long; their messages go one by one.
    [[nodiscard]] bool begin(std::string_view to, std::string_view from);
    // One more message; `time` in ms since 1970. False when the run is full or the body is too large for any.
    bool add(std::uint64_t time, std::string_view body);
    // Lets go of the frames; receivers that share them keep them.
    void end() noexcept;

    [[nodiscard]] std::size_t messages() const noexcept { return messages_; }
    // All frames. They live as long as storage() is held.
    [[nodiscard]] std::string_view frames() const noexcept { return frames_of(held_, begun_at_, used_); }
    // Holds addresses (to_field(), from_field()) and frames.
    [[nodiscard]] const message_ref& storage() const noexcept { return held_; }
    // All of it.
    [[nodiscard]] run_piece piece() const;
    // The same for a queue: a few messages in a large storage are copied, once for all receivers, so that what waits
    // needs little more memory than it has octets.
    [[nodiscard]] run_piece piece_to_keep() const;

    struct message {
        std::uint64_t time = 0;
        std::string_view to_number{};    // the field to-number, as it stands in the frame
        std::string_view from_number{};  // likewise
        std::string_view time_field{};
        std::string_view body{};
        std::size_t octets = 0;  // of the frame
    };
    // The message whose frame `frames` begins with.
    [[nodiscard]] static message first_of(std::string_view frames) noexcept;
    // Each message in turn.
    template <class Visit>
    static void for_each(std::string_view frames, Visit visit) {
        while (!frames.empty()) {
            const message one = first_of(frames);
            visit(one);
            frames.remove_prefix(one.octets);
        }
    }
    // The octets of the first `messages` frames at `at`.
    [[nodiscard]] static std::size_t octets_of(const message_ref& storage, std::size_t at, std::size_t messages) noexcept;

private:
    friend struct run_piece;
    static std::string_view frames_of(const message_ref& storage, std::size_t from, std::size_t to) noexcept {
        return storage == nullptr ? std::string_view{} : std::string_view{storage->octets_.data() + from, to - from};
    }

    // What all messages from one sender to one destination have in common.
    struct way {
        std::uint64_t to_id = 0;
        std::uint64_t from_id = 0;
        std::string addresses;  // the fields to and from
        std::size_t to_octets = 0;
        std::string header;     // what all frames begin with; length of the body and time differ
    };
    static constexpr std::size_t ways_max = 8;  // of the last runs: requests and answers take turns

    void begin_storage();
    bool make_way(way& into, std::string_view to, std::string_view from, std::uint64_t to_id, std::uint64_t from_id);

    message_preparer& preparer_;
    prepared_message* storage_ = nullptr;
    message_ref held_;  // the same
    mutable message_ref copy_;  // piece_to_keep()
    std::array<way, ways_max> ways_;
    std::size_t next_way_ = 0;
    way* way_ = ways_.data();
    std::size_t begun_at_ = 0;  // where the first frame stands in the storage
    std::size_t used_ = 0;      // where the last one ends
    std::size_t messages_ = 0;
};

// A part of a run on its way to one receiver.
struct run_piece {
    message_ref storage;
    std::size_t at = 0;        // of the first frame, in the storage
    std::size_t messages = 0;
    std::size_t octets = 0;    // of their frames
    std::uint64_t number = 0;  // of the first message; 0: they have none
    std::uint8_t flags = 0;

    [[nodiscard]] std::string_view frames() const noexcept { return message_run::frames_of(storage, at, at + octets); }
    // The fields to and from.
    [[nodiscard]] std::string_view addresses() const noexcept { return storage->fields(); }
    // The frames fill most of the storage: to share it keeps little alive besides.
    [[nodiscard]] bool is_dense() const noexcept { return octets >= storage->octets_.size() / 4; }
};

inline run_piece message_run::piece() const { return {held_, begun_at_, messages_, used_ - begun_at_, 0, 0}; }

}  // namespace mbus::mbws
