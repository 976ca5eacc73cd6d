// The frames of WebSocket (RFC 6455, section 5): heads, masks, and what a close frame carries.
//
//     char head[head_octets_max];
//     const auto octets = write_head(head, {.what = opcode::binary, .last = true, .payload = body.size()});
//     append_frame(out, opcode::pong, payload, mask);        // head and payload in one go
//
// Reading is message_reader's; this is what both directions share.
// Thread-safety: plain values and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mbus::websocket {

// RFC 6455 s5.2. The reserved codes 3 and B are used when an extension was negotiated for them.
enum class opcode : std::uint8_t {
    continuation = 0x0,
    text = 0x1,
    binary = 0x2,
    extension_data = 0x3,
    close = 0x8,
    ping = 0x9,
    pong = 0xA,
    extension_control = 0xB,
};

[[nodiscard]] constexpr bool is_control(opcode what) noexcept {
    return (static_cast<unsigned>(what) & 0x8U) != 0;
}

// Whose side a reader or writer is on. What a client sends is masked, what a server sends is not (s5.1).
enum class role : std::uint8_t { client, server };

// RFC 6455 s7.4.1, and 1012 to 1014 of the IANA registry.
enum class close_code : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    protocol_error = 1002,
    unsupported_data = 1003,
    none = 1005,      // the frame had no code; never sent
    abnormal = 1006,  // the connection broke without one; never sent
    not_utf8 = 1007,
    policy = 1008,
    too_large = 1009,
    extension_missing = 1010,
    internal = 1011,
    restart = 1012,
    try_later = 1013,
};

inline constexpr std::size_t control_octets_max = 125;  // s5.5
inline constexpr std::size_t close_reason_octets_max = 123;
inline constexpr std::size_t head_octets_max = 14;  // 2, 8 of length, 4 of mask

using mask_key = std::array<char, 4>;

// Makes mask keys for a client. They must not be predictable by who chooses the content (s5.3), so
// they come from the system's random numbers; this code has none of its own.
class mask_source {
public:
    virtual mask_key next() = 0;

protected:
    ~mask_source() = default;
};

struct frame_head {
    opcode what = opcode::continuation;
    bool last = true;           // FIN
    std::uint8_t reserved = 0;  // RSV1 to RSV3, as the three bits of an octet's upper half: 40, 20, 10
    std::uint64_t payload = 0;
    std::optional<mask_key> mask{};
};

// Octets of a head, from its first two.
[[nodiscard]] std::size_t head_octets(const char* first_two) noexcept;
// Octets of a head that write_head() makes.
[[nodiscard]] constexpr std::size_t head_octets(std::uint64_t payload, bool masked) noexcept {
    return (payload <= 125 ? 2U : payload <= 0xFFFF ? 4U : 10U) + (masked ? 4U : 0U);
}
// `octets` has as many as head_octets() says.
[[nodiscard]] frame_head read_head(const char* octets) noexcept;
// True when the length is written in as few octets as possible, as it must be (s5.2).
[[nodiscard]] bool is_minimal(const char* head) noexcept;

// Writes the head to `out`, the length in its shortest form; how many octets it took.
std::size_t write_head(char* out, const frame_head& head) noexcept;

// Masks or unmasks octets that stand `at` octets behind the start of the payload (s5.3).
void apply_mask(char* octets, std::size_t count, mask_key mask, std::size_t at = 0) noexcept;

// A whole frame at the end of `out`.
void append_frame(std::string& out, opcode what, std::string_view payload,
                  std::optional<mask_key> mask = std::nullopt);

// What a close frame carries; empty for close_code::none. The reason is cut at a character.
[[nodiscard]] std::string close_payload(close_code code, std::string_view reason);
// True for codes that may stand in a close frame (s7.4).
[[nodiscard]] bool may_be_sent(std::uint16_t code) noexcept;

}  // namespace mbus::websocket
