// Addresses that a connection carries once, and then by number (docs/mbws.md, section 2.6): most of the
// octets of a small message would be its two addresses.
//
//     address_names names;                             // one per process: text -> identity
//     told_addresses told{64};                         // one per connection: what its reader knows
//     auto [number, known] = told.put(names.id_of("(app:player)"));   // known: the number alone will do
//
//     heard_addresses heard{64};                       // its reader
//     if (const char* wrong = heard.resolve(frame)) return refuse(wrong);
//
// Thread-safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mbws/frame.hpp"

namespace mbus::mbws {

// What each side remembers of the other's. A client hears from more senders than it writes to.
inline constexpr std::uint16_t addresses_of_client = 64;   // told by a client, remembered by the broker
inline constexpr std::uint16_t addresses_of_broker = 256;  // told by the broker, remembered by a client
// Longer addresses get no number, so that what a side remembers has a limit: 64 or 256 KB a connection.
inline constexpr std::size_t numbered_address_max = 1024;
inline constexpr std::uint16_t addresses_limit = 1024;     // more are never used, whatever is offered

// Gives each text an identity that no other text ever gets in this process. 0 is none.
class address_names {
public:
    std::uint64_t id_of(std::string_view text);

private:
    static constexpr std::size_t names_max = 16384;  // then all are forgotten; their identities are not used again
    struct recent {
        std::string text;
        std::uint64_t id = 0;
    };
    std::uint64_t look_up(std::string_view text);

    std::unordered_map<std::string, std::uint64_t> ids_;
    std::array<recent, 4> recent_;  // traffic repeats itself
    std::size_t next_recent_ = 0;
    std::uint64_t last_id_ = 0;
};

class told_addresses {
public:
    struct place {
        std::uint16_t number = 0;
        bool known = false;  // the other side has it under this number
    };

    told_addresses() = default;
    // How many the other side remembers; 0: it does not understand numbers.
    explicit told_addresses(std::size_t size) noexcept
        : size_(static_cast<std::uint16_t>(size < addresses_limit ? size : addresses_limit)) {}
    [[nodiscard]] bool used() const noexcept { return size_ != 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] bool knows(std::uint64_t id) const noexcept {
        return !ids_.empty() && id != 0 && ids_[id % size_] == id;
    }
    // The number of an address; when it is not known, the frame has to bring the text, too.
    place put(std::uint64_t id) {
        if (ids_.empty()) ids_.resize(size_);
        const auto number = static_cast<std::uint16_t>(id % size_);
        const bool known = ids_[number] == id;
        ids_[number] = id;
        return {number, known};
    }

private:
    std::uint16_t size_ = 0;
    std::vector<std::uint64_t> ids_;  // by number; made when first needed
};

class heard_addresses {
public:
    heard_addresses() = default;
    explicit heard_addresses(std::uint16_t size) noexcept : size_(size) {}

    // Remembers the addresses that came with a number, and fills in those of which only the number came:
    // as text that lives until that number is given to another. Null, or what is wrong (bad-frame).
    [[nodiscard]] const char* resolve(frame_view& frame) {
        if (!frame.has(key::to_number) && !frame.has(key::from_number)) return nullptr;
        if (frame.has(key::to_number) && !frame.has(key::to) && frame.has(key::from) &&
            frame.integer(key::from_number, no_number) == frame.integer(key::to_number)) {
            return "one number for two addresses";
        }
        const char* const wrong = resolve(frame, key::to, key::to_number);
        return wrong != nullptr ? wrong : resolve(frame, key::from, key::from_number);
    }

private:
    static constexpr std::uint64_t no_number = ~std::uint64_t{0};
    const char* resolve(frame_view& frame, key text, key number);

    std::uint16_t size_ = 0;
    std::vector<std::string> texts_;  // by number; made when first needed
};

}  // namespace mbus::mbws
