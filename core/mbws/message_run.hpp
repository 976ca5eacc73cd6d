// Messages that follow each other from one sender to one destination, as the frames that all their receivers
// get: written once, and handed to each receiver in one piece.
//
//     message_run run{preparer};
//     if (run.begin("(app:player)", from)) {
//         run.add(wall_ms, body);                     // false: full
//         for (auto& receiver : receivers) receiver.offer_run(run);
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

class message_run {
public:
    // Octets of frames in one run. What a socket takes at once is not more, and two or three fit the cache.
    static constexpr std::size_t octets_max = std::size_t{128} * 1024;
    // Larger bodies go alone, by reference.
    static constexpr std::size_t body_octets_max = 16 * 1024;

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
    // Octets of the largest frame, addresses included.
    [[nodiscard]] std::size_t largest() const noexcept { return largest_; }
    [[nodiscard]] std::uint64_t to_id() const noexcept { return way_->to_id; }
    [[nodiscard]] std::uint64_t from_id() const noexcept { return way_->from_id; }
    // The fields to and from, for a receiver that does not know their numbers yet.
    [[nodiscard]] std::string_view to_field() const noexcept {
        return std::string_view{way_->addresses}.substr(0, way_->to_octets);
    }
    [[nodiscard]] std::string_view from_field() const noexcept {
        return std::string_view{way_->addresses}.substr(way_->to_octets);
    }
    // All frames, one after the other. They live as long as storage() is held.
    [[nodiscard]] std::string_view frames() const noexcept {
        return storage_ == nullptr ? std::string_view{} : std::string_view{storage_->octets_.data(), used_};
    }
    [[nodiscard]] const message_ref& storage() const noexcept { return held_; }
    // Most of the storage is used: to share it keeps little alive besides.
    [[nodiscard]] bool is_dense() const noexcept { return storage_ != nullptr && used_ >= storage_->octets_.size() / 4; }

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
    void for_each(Visit visit) const {
        for (auto rest = frames(); !rest.empty();) {
            const message one = first_of(rest);
            visit(one);
            rest.remove_prefix(one.octets);
        }
    }

private:
    // What all messages from one sender to one destination have in common.
    struct way {
        std::uint64_t to_id = 0;
        std::uint64_t from_id = 0;
        std::string addresses;  // the fields to and from
        std::size_t to_octets = 0;
        std::string header;     // what all frames begin with; length of the body and time differ
    };
    static constexpr std::size_t ways_max = 8;  // of the last runs: requests and answers take turns

    bool make_way(way& into, std::string_view to, std::string_view from, std::uint64_t to_id, std::uint64_t from_id);

    message_preparer& preparer_;
    prepared_message* storage_ = nullptr;
    message_ref held_;  // the same
    std::array<way, ways_max> ways_;
    std::size_t next_way_ = 0;
    way* way_ = ways_.data();
    std::size_t used_ = 0;
    std::size_t messages_ = 0;
    std::size_t largest_ = 0;
};

}  // namespace mbus::mbws
