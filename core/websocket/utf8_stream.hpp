// Checks UTF-8 that comes in pieces, and says no at the first octet that can't be right, also when
// it stands in the middle of a character that is cut between two pieces (RFC 6455 s8.1).
//
//     utf8_stream check;
//     if (!check.feed(piece)) refuse();
//     if (!check.finish()) refuse();     // ends inside a character
//
// A plain value of four octets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mbus::websocket {

class utf8_stream {
public:
    // False when what came so far is not the beginning of any UTF-8 text.
    [[nodiscard]] bool feed(std::string_view piece) noexcept;
    // False when the text ends inside a character. Ready for the next text.
    [[nodiscard]] bool finish() noexcept {
        const bool whole = count_ == 0;
        count_ = 0;
        return whole;
    }

private:
    std::array<char, 3> begun_{};  // a character's first octets
    std::uint8_t count_ = 0;
};

}  // namespace mbus::websocket
