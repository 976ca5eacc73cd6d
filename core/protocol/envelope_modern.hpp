// The body of a datagram in the modern profile: nonce, then the message, clear or encrypted
// (docs/modern-profile.md). The MAC line before it is the envelope's, as in RFC 3259.
//
// Not thread-safe: belongs to one envelope.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/counters.hpp"
#include "protocol/replay_table.hpp"
#include "protocol/session_config.hpp"

namespace mbus::protocol {

inline constexpr std::size_t nonce_octets = 24;  // sender, number, time: 8 octets each

class modern_body {
public:
    // `sender_id` 0: a random one, which is what everybody but a test wants.
    modern_body(const session_config& config, std::uint64_t sender_id);

    // Octets that a body has beyond its message.
    [[nodiscard]] std::size_t overhead() const noexcept;

    // Writes overhead() + message.size() octets.
    void seal(std::string_view message, std::uint64_t wall_ms, char* out) noexcept;

    struct opened {
        bool ok = false;
        drop_reason reason = drop_reason::replayed;
        std::string_view message{};  // into `body` or `scratch`
    };

    // `body` has been authenticated.
    opened open(std::string_view body, std::uint64_t wall_ms, std::string& scratch);

private:
    [[nodiscard]] bool encrypts() const noexcept { return !key_.empty(); }

    secret key_;
    std::uint64_t sender_;
    std::uint64_t number_ = 0;  // of the last datagram; 0 before the first
    replay_table seen_;
};

}  // namespace mbus::protocol
