// What the body of a message may be (docs/mbws.md, section 2.5): Mbus commands, which are checked
// here, or opaque octets of some media type, which travel as one command where commands are wanted.
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <mbus/result.hpp>

namespace mbus::mbws {

inline constexpr std::string_view command_media_type = "application/mbus";
inline constexpr std::string_view data_command_name = "mbws.data";
inline constexpr std::size_t media_type_octets_max = 127;  // RFC 6838, section 4.2, and parameters

// What a scan over the commands of a body found. Views into the body.
struct body_summary {
    std::size_t commands = 0;
    std::string_view first_command;  // empty for a message without commands
    bool needs_rewrite = false;      // read with leniency: written anew before it goes to the bus
    bool has_mbus_command = false;   // some name starts with "mbus."
    bool has_ping = false;           // one of them is mbus.ping, which no client gets to see
    bool bare = false;  // the body is one command, not of mbus.*, in its strict form, and nothing else
};

// Checks the commands that a client sends. Errors: bad_command, with the offset, for text outside
// the grammar and for mbus.hello and mbus.bye, which are the broker's.
result<body_summary> check_commands(std::string_view body);
// The same for the hot path, into `found`, which must be empty: nothing when all is well.
[[nodiscard]] std::optional<error> check_commands(std::string_view body, body_summary& found);

// True for the default: no type, or application/mbus (letters of either case).
[[nodiscard]] bool is_command_type(std::string_view type) noexcept;
// "type/subtype", optionally with parameters; printable characters only.
[[nodiscard]] bool is_media_type(std::string_view type) noexcept;
// True when an entity that attached with `wanted` (a media type or */*) gets a body of `type`.
[[nodiscard]] bool accepts_type(std::string_view wanted, std::string_view type) noexcept;

// An opaque body as commands: `mbws.data ("TYPE" <BASE64>)`. Errors: bad_value (no media type).
result<std::string> data_command(std::string_view type, std::string_view body);

struct opaque_body {
    std::string type;
    std::string octets;
};
// The opaque body again, when `commands` is exactly one command mbws.data with a media type and
// data; nothing otherwise.
[[nodiscard]] std::optional<opaque_body> opaque_from_command(std::string_view commands);

}  // namespace mbus::mbws
