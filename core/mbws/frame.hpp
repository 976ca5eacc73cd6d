// The MBWS frame: a verb, a number, header fields and a body (docs/mbws.md, section 2), and its
// binary form.
//
//     std::string out;
//     frame_writer{out, verb::message, flag::reliable, 42}.set(key::to, "(app:player)").finish(body);
//
//     frame_view frame;
//     if (const char* wrong = decode_frame(octets, frame)) return refuse(errc::bad_frame, wrong);
//     use(frame.text(key::to), frame.body);
//
// Nothing is copied: a frame_view shows octets that must outlive it. The text form is in
// text_frame.hpp, cutting a stream into frames in frame_reader.hpp.
// Thread-safety: plain values and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mbus/result.hpp>

#include "mbws/big_endian.hpp"

namespace mbus::mbws {

inline constexpr std::uint16_t protocol_version = 1;
inline constexpr std::size_t frame_header_octets = 16;               // verb, flags, H, B, number
inline constexpr std::size_t field_head_octets = 3;                   // of a field: key and length
inline constexpr std::size_t header_octets_max = 65535;              // H has 16 bits
inline constexpr std::size_t frame_octets_default = 1024 * 1024;     // field `size`
inline constexpr std::size_t frame_octets_min = 128 * 1024;          // a Mbus datagram in Base64 fits
inline constexpr std::size_t frame_octets_limit = 64 * 1024 * 1024;  // most that `size` may grant
inline constexpr std::size_t ping_octets_max = 64;
inline constexpr std::uint32_t window_max = 65536;
inline constexpr std::uint32_t window_default_websocket = 256;
inline constexpr std::uint32_t window_default_local = 0;

enum class verb : std::uint8_t {
    unknown = 0,  // what a text frame with a verb of a later version reads as
    connect = 1,
    connected = 2,
    attach = 3,
    detach = 4,
    ok = 5,
    nak = 6,
    message = 7,
    ack = 8,
    receipt = 9,
    watch = 10,
    entity = 11,
    grant = 12,
    revoke = 13,
    ping = 14,
    pong = 15,
    close = 16,
    error = 17,
};

// "message"; empty for a code that no verb has.
[[nodiscard]] std::string_view to_string(verb which) noexcept;
[[nodiscard]] verb verb_from_string(std::string_view name) noexcept;  // verb::unknown if none has it

// Bits of the octet at offset 1; unknown bits are ignored.
namespace flag {
inline constexpr std::uint8_t reliable = 1;
inline constexpr std::uint8_t receipt = 2;
inline constexpr std::uint8_t redelivered = 4;
inline constexpr std::uint8_t known = 7;
}  // namespace flag

// Header fields, by the number that stands for them in binary frames.
enum class key : std::uint8_t {
    to = 1,
    from = 2,
    entity = 3,
    session = 4,
    received = 5,
    window = 6,
    expiry = 7,
    request = 8,
    code = 9,
    text = 10,
    type = 11,
    time = 12,
    ttl = 13,
    matched = 14,
    missed = 15,
    auth = 16,
    version = 17,
    name = 18,
    mode = 19,
    queue = 20,
    state = 21,
    resumed = 22,
    command = 23,
    url = 24,
    uses = 25,
    policy = 26,
    tried = 27,
    took = 28,
    via = 29,
    broker = 30,
    about = 31,
    size = 32,
    durable = 33,
    origin = 34,
    sequence = 35,
    interface = 36,
    addresses = 37,
    to_number = 38,
    from_number = 39,
};
inline constexpr std::size_t keys_end = 40;

// How the value of a field is written.
enum class value_kind : std::uint8_t { none, text, yes_no, u8, u16, u32, u64 };

[[nodiscard]] value_kind kind_of(key which) noexcept;
[[nodiscard]] std::size_t octets_of(value_kind kind) noexcept;  // 0 for text
[[nodiscard]] std::string_view to_string(key which) noexcept;   // "to"; empty for an unknown key
[[nodiscard]] std::optional<key> key_from_string(std::string_view name) noexcept;

// True for UTF-8 without an octet below 20 or 7F: what a text field may hold.
[[nodiscard]] bool is_field_text(std::string_view octets) noexcept;
// `octets` as a text field may hold it: what it may not hold becomes '?', and the end is cut at a
// character so that at most `octets_max` remain.
[[nodiscard]] std::string make_field_text(std::string_view octets, std::size_t octets_max);

// A frame taken apart. Copies are cheap enough for tests, but the hot path reuses one object.
class frame_view {
public:
    mbws::verb verb = verb::unknown;
    std::uint8_t flags = 0;
    std::uint64_t number = 0;
    std::string_view body;
    // Verb, flags and fields are those of the frame before; only number and body may differ (frame_reader).
    bool repeats = false;

    [[nodiscard]] bool reliable() const noexcept { return (flags & flag::reliable) != 0; }
    [[nodiscard]] bool receipt_wanted() const noexcept { return (flags & flag::receipt) != 0; }
    [[nodiscard]] bool redelivered() const noexcept { return (flags & flag::redelivered) != 0; }

    [[nodiscard]] bool has(key which) const noexcept { return (present_ & bit(which)) != 0; }
    // A text field; empty when absent.
    [[nodiscard]] std::string_view text(key which) const noexcept {
        return has(which) ? std::string_view{at(which).data, at(which).number} : std::string_view{};
    }
    // An integer or yes/no (1/0) field; `otherwise` when absent.
    [[nodiscard]] std::uint64_t integer(key which, std::uint64_t otherwise = 0) const noexcept {
        return has(which) ? at(which).number : otherwise;
    }
    [[nodiscard]] std::uint32_t integer32(key which, std::uint32_t otherwise = 0) const noexcept {
        return static_cast<std::uint32_t>(integer(which, otherwise));
    }
    // One bit per key that is present: bit n for key n.
    [[nodiscard]] std::uint64_t presence() const noexcept { return present_; }

    // The kind of `which` must fit the setter; the viewed octets must outlive the frame.
    frame_view& set(key which, std::string_view value) noexcept {
        stamp_ = 0;
        present_ |= bit(which);
        at(which) = {value.data(), value.size()};
        return *this;
    }
    frame_view& set(key which, std::uint64_t value) noexcept {
        stamp_ = 0;
        present_ |= bit(which);
        at(which) = {nullptr, value};
        return *this;
    }
    void clear() noexcept;

    // Equal verb, known flags, number, fields and body; whatever came before.
    bool operator==(const frame_view& other) const noexcept;

private:
    struct slot {
        const char* data = nullptr;
        std::uint64_t number = 0;  // octets of a text, or the integer
    };
    static std::uint64_t bit(key which) noexcept { return std::uint64_t{1} << static_cast<unsigned>(which); }
    slot& at(key which) noexcept { return slots_[static_cast<std::size_t>(which)]; }
    const slot& at(key which) const noexcept { return slots_[static_cast<std::size_t>(which)]; }

    friend class frame_reader;

    std::uint64_t stamp_ = 0;  // frame_reader: which of its frames this is; 0: none, or changed since
    std::uint64_t present_ = 0;
    std::array<slot, keys_end> slots_{};  // meaningful where present_ says so
};

// The fixed part of a binary frame.
struct frame_head {
    mbws::verb verb = verb::unknown;
    std::uint8_t flags = 0;
    std::uint16_t header_octets = 0;  // H, these 16 included
    std::uint32_t body_octets = 0;    // B
    std::uint64_t number = 0;
};

// The first 16 octets of a frame. `octets` must have as many.
[[nodiscard]] inline frame_head read_frame_head(const char* octets) noexcept {
    return {static_cast<verb>(octets[0]), static_cast<std::uint8_t>(octets[1]), read_big_endian<std::uint16_t>(octets + 2),
            read_big_endian<std::uint32_t>(octets + 4), read_big_endian<std::uint64_t>(octets + 8)};
}
inline void write_frame_head(char* octets, const frame_head& head) noexcept {
    octets[0] = static_cast<char>(head.verb);
    octets[1] = static_cast<char>(head.flags);
    write_big_endian(octets + 2, head.header_octets);
    write_big_endian(octets + 4, head.body_octets);
    write_big_endian(octets + 8, head.number);
}

// H + B, from the first 8 octets of a frame.
[[nodiscard]] inline std::uint64_t frame_octets(const char* octets) noexcept {
    return std::uint64_t{read_big_endian<std::uint16_t>(octets + 2)} + read_big_endian<std::uint32_t>(octets + 4);
}

// Takes one whole binary frame apart. Null when it is well-formed, else what is wrong with it (the
// code is bad-frame), and `out` is unspecified. An unknown verb is not an error here.
[[nodiscard]] const char* decode_frame(std::string_view octets, frame_view& out) noexcept;

// Only the fields: what stands between octet 16 and H. Sets fields of `out`, nothing else.
[[nodiscard]] const char* decode_fields(std::string_view octets, frame_view& out) noexcept;

// Appends a field in binary form. Text that is longer than 65535 octets may not be passed.
void append_field(std::string& out, key which, std::string_view value);
void append_field(std::string& out, key which, std::uint64_t value);

// Appends the frame in binary form. False, with nothing appended, when its fields exceed H.
[[nodiscard]] bool append_frame(std::string& out, const frame_view& what);

// Writes one binary frame at the end of a string. finish() must be called exactly once.
class frame_writer {
public:
    frame_writer(std::string& out, verb which, std::uint8_t flags = 0, std::uint64_t number = 0);

    frame_writer& set(key which, std::string_view value);
    frame_writer& set(key which, std::uint64_t value);
    // Only when there is something to say.
    frame_writer& set_if(key which, std::string_view value) {
        return value.empty() ? *this : set(which, value);
    }
    frame_writer& set_if(key which, std::uint64_t value) { return value == 0 ? *this : set(which, value); }
    // Fields that append_field() wrote before.
    frame_writer& raw_fields(std::string_view fields);

    // False, with the frame taken back, when the fields exceed H (header_octets_max) or the body
    // frame_octets_limit.
    bool finish(std::string_view body = {});

private:
    std::string& out_;
    std::size_t start_;
    frame_head head_;
    bool too_long_ = false;  // a value that no field can hold
};

}  // namespace mbus::mbws
