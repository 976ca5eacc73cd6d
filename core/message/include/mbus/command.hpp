// A command: a dotted name and its list of values (RFC 3259, section 5.3), and the payload text
// that holds commands, one per line.
//
//     auto text = mbus::format_commands({{"player.play", {"song.mp3", 3}}});   // player.play("song.mp3" 3)
//     auto commands = mbus::parse_commands(*text);
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/export.hpp>
#include <mbus/result.hpp>
#include <mbus/value.hpp>

namespace mbus {

// Commands in one message; the RFC sets no limit. A 64 KiB datagram holds 16 000 of the shortest.
inline constexpr std::size_t commands_max = 32768;

struct command {
    std::string name;             // a symbol; levels separated by '.'
    std::vector<value> arguments;

    bool operator==(const command&) const = default;
};

// How text is written and read.
// `rfc`: what RFC 3259 says; read with the leniency that has no other reading (LF, blanks before
//   and inside parentheses, padded numbers, raw line ends in strings, `\x` as x).
// `legacy`: the dialect that UCL, rat-common, libgmbus and Java MBus understand: LF, `name (a b )`;
//   reads exponent floats too.
enum class dialect : unsigned char { rfc, legacy };

// One command of a payload, not yet taken apart. Views into the payload.
struct command_view {
    std::string_view name;
    std::string_view arguments;  // with its parentheses
};

// Walks over a payload once, checks every octet against the grammar, and allocates nothing.
//
//     command_scanner scan{payload};
//     while (auto next = scan.next()) use(next->name);
//     if (scan.failed()) report(scan.failure());
class MBUS_API command_scanner {
public:
    explicit command_scanner(std::string_view payload, dialect reading = dialect::rfc) noexcept
        : text_(payload), reading_(reading) {}

    // The next command; null at the end or at an error. Valid until the next call.
    const command_view* next() noexcept;

    [[nodiscard]] bool failed() const noexcept { return expected_ != nullptr; }
    [[nodiscard]] error failure() const;  // errc::bad_command with offset

    // True when something so far needed leniency beyond line ends and blanks around
    // parentheses, so that the payload has to be written anew for a strict reader.
    [[nodiscard]] bool needs_rewrite() const noexcept { return needs_rewrite_; }

private:
    std::string_view text_;
    dialect reading_;
    std::size_t at_ = 0;
    std::size_t count_ = 0;
    command_view current_;
    const char* expected_ = nullptr;
    bool needs_rewrite_ = false;
};

// Reads a payload: zero or more commands between line ends, with or without a final one.
// Errors: errc::bad_command with the offset and what was expected there.
MBUS_API result<std::vector<command>> parse_commands(std::string_view payload, dialect reading = dialect::rfc);

// Reads exactly one value, for instance an argument of a command line.
MBUS_API result<value> parse_value(std::string_view text, dialect reading = dialect::rfc);

// Appends the text of the value. Errors: bad_value for NaN, infinity, a NUL or DEL or ill-formed
// UTF-8 in a string, a symbol or wide number outside the grammar; too deep; nothing is appended then.
MBUS_API result<void> append_value(std::string& out, const value& what, dialect writing = dialect::rfc);
MBUS_API result<void> append_command(std::string& out, const command& what, dialect writing = dialect::rfc);

// Each command on a line of its own, line ends between them and one at the end.
MBUS_API result<std::string> format_commands(std::span<const command> commands, dialect writing = dialect::rfc);
MBUS_API result<std::string> format_value(const value& what, dialect writing = dialect::rfc);

// Glob on a name: `*` any run of characters, `?` one. `globs` may hold several, separated by commas.
[[nodiscard]] MBUS_API bool glob_matches(std::string_view globs, std::string_view name) noexcept;

}  // namespace mbus
