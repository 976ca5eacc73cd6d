// The text form of an MBWS frame (docs/mbws.md, section 2.2), for WebSocket text messages.
//
//     message 42
//     to: (app:player)
//     reliable: yes
//
//     player.play ("song.mp3" 3)
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <mbus/result.hpp>

#include "mbws/frame.hpp"

namespace mbus::mbws {

// Takes one text frame apart; views into `text`. Errors: errc::bad_frame with the offset. A verb
// that nobody knows reads as verb::unknown.
result<void> parse_text_frame(std::string_view text, frame_view& out);

// Appends the text form. Errors: errc::bad_frame when the frame has no text form: a body that is
// not UTF-8 (send the binary form then), or a verb or field value that the header can't hold.
result<void> append_text_frame(std::string& out, const frame_view& what);

// --- pieces of the text form, for writers that have the binary form -------------------------------

// The lines of fields that append_field() wrote. False, with nothing appended, when one of them has
// no text form.
[[nodiscard]] bool append_text_fields(std::string& out, std::string_view binary_fields);
// The lines of the flags.
void append_text_flags(std::string& out, std::uint8_t flags);
// True for a body that the text form can hold.
[[nodiscard]] bool has_text_body(std::string_view body) noexcept;

}  // namespace mbus::mbws
