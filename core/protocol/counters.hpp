// What the engine counts. Every datagram or command that has no effect is in exactly one
// `drop_reason`; nothing is dropped silently.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mbus::protocol {

enum class drop_reason : std::uint8_t {
    too_short,             // no room for a MAC line
    bad_mac_line,          // the first line is not 16 (24) Base64 characters and a line end
    bad_mac,               // another key, or changed on the way
    bad_ciphertext,        // length not a multiple of the block, or does not decrypt
    not_mbus,              // decrypted text does not start with "mbus/"
    replayed,              // seen before (modern profile), or older than anything plausible
    bad_version,           // mbus/1.1
    bad_header,            // header line outside the grammar
    bad_body,              // commands outside the grammar
    source_without_id,     // trap A2
    own_echo,              // our own datagram, looped back: normal
    duplicate,             // (source, SeqNum) seen before: normal with several interfaces
    not_for_us,            // destination matches no local entity: normal
    reliable_not_exact,    // R to a subset (RFC 3259, section 7)
    queue_full,            // the receiver's endpoint refused it
    peers_full,            // peers_max reached, hello ignored
    late_after_bye,        // trap W7
    not_local_host,        // HOSTLOCAL and the source address is not of this host
    truncated,             // larger than the receive buffer
    bad_mbus_command,      // an mbus.* command with wrong parameters, ignored (trap M4)
    unknown_mbus_command,  // an mbus.* command nobody defined, ignored (trap M5)
    foreign_ack,           // an ack for nothing of ours, or from somebody else (trap R5)
    count_,
};

inline constexpr std::size_t drop_reasons = static_cast<std::size_t>(drop_reason::count_);

// "bad-mac"; stable, used in metrics and logs.
[[nodiscard]] std::string_view to_string(drop_reason reason) noexcept;

struct counters {
    std::uint64_t datagrams_in = 0;
    std::uint64_t octets_in = 0;
    std::uint64_t datagrams_out = 0;        // once per datagram, not per interface
    std::uint64_t octets_out = 0;
    std::uint64_t messages_in = 0;          // authentic, well-formed
    std::uint64_t commands_in = 0;
    std::uint64_t delivered = 0;            // one per receiving entity
    std::uint64_t messages_out = 0;
    std::uint64_t commands_out = 0;
    std::uint64_t coalesced = 0;            // messages that travelled in another one's datagram
    std::uint64_t reliable_sent = 0;
    std::uint64_t reliable_acknowledged = 0;
    std::uint64_t reliable_failed = 0;
    std::uint64_t retransmissions = 0;
    std::uint64_t acks_sent = 0;            // sequence numbers, not messages
    std::uint64_t acks_piggybacked = 0;
    std::uint64_t hellos_sent = 0;
    std::uint64_t hellos_heard = 0;
    std::uint64_t unicast_out = 0;
    std::array<std::uint64_t, drop_reasons> dropped{};

    void drop(drop_reason reason) noexcept { ++dropped[static_cast<std::size_t>(reason)]; }
    [[nodiscard]] std::uint64_t drops(drop_reason reason) const noexcept {
        return dropped[static_cast<std::size_t>(reason)];
    }
};

}  // namespace mbus::protocol
