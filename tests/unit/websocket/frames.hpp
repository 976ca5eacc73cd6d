// WebSocket frames by hand, and what a reader makes of a stream.
#pragma once

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "websocket/message_reader.hpp"

namespace mbus::websocket::testing {

inline constexpr mask_key rfc_mask{0x37, static_cast<char>(0xfa), 0x21, 0x3d};

// "81 05 48" as octets.
inline std::string from_hex(std::string_view text) {
    std::string octets;
    std::string digits;
    for (const char c : text) {
        if (c == ' ' || c == '\n') continue;
        digits += c;
        if (digits.size() < 2) continue;
        octets += static_cast<char>(std::stoi(digits, nullptr, 16));
        digits.clear();
    }
    return octets;
}

// One frame of a client (masked) or, without a mask, of a server.
inline std::string frame(opcode what, bool last, std::string_view payload,
                         std::optional<mask_key> mask = rfc_mask) {
    std::string made(head_octets_max, '\0');
    made.resize(write_head(made.data(), {what, last, 0, payload.size(), mask}));
    const auto start = made.size();
    made.append(payload);
    if (mask) apply_mask(made.data() + start, payload.size(), *mask);
    return made;
}

// What came, owning its octets.
struct seen {
    opcode what = opcode::binary;
    std::string payload{};
    close_code code = close_code::none;
    std::size_t first_frame = 0;
    bool operator==(const seen&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const seen& what) {
    return out << "{" << static_cast<int>(what.what) << " '" << what.payload << "' "
               << static_cast<int>(what.code) << "}";
}

// Feeds `octets` (a copy, since reading unmasks) and takes all that comes.
inline void read(message_reader& reader, std::string octets, std::vector<seen>& found) {
    reader.feed(octets);
    received_message got;
    while (reader.next(got) == message_reader::status::message) {
        found.push_back({got.what, std::string{got.payload}, got.code, got.first_frame_octets});
    }
}

inline std::vector<seen> read(message_reader& reader, const std::string& octets) {
    std::vector<seen> found;
    read(reader, octets, found);
    return found;
}

// The code with which a fresh reader refuses `octets`; none when it does not.
inline close_code refusal(const std::string& octets, const reader_rules& rules = {}) {
    message_reader reader{rules};
    static_cast<void>(read(reader, octets));
    return reader.failed() ? reader.failure().code : close_code::none;
}

}  // namespace mbus::websocket::testing
