// How mbus-listen prints a message: plain, raw, as JSON, or by a format of the user.
//
// Thread-safety: plain values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <mbus/events.hpp>
#include <mbus/result.hpp>

namespace mbus::tools {

// A --format, taken apart once.
class line_format {
public:
    // Errors: bad_argument with the placeholder that nobody knows.
    static result<line_format> parse(std::string_view text);

    // One line for one command of the message. Control characters of others are made printable.
    [[nodiscard]] std::string apply(const received_message& message, const command& which) const;

private:
    using piece = std::variant<std::string, char>;  // literal text, or the letter of a placeholder
    std::vector<piece> pieces_;
};

// {"v":1,...}; always succeeds for what the bus delivered, and says so in the line if it can't.
[[nodiscard]] std::string message_json(const received_message& message);

// {"v":1,"ts":"..","event":"joined","peer":{..}}
[[nodiscard]] std::string peer_json(const peer& which, std::uint64_t now_ms);

// "21:14:24.123 (app:rat id:7-1@10.0.0.1) audio.gain(80 on)", with "-> DESTINATION" for a monitor
[[nodiscard]] std::string plain_line(const received_message& message, const command& which);
[[nodiscard]] std::string plain_opaque_line(const received_message& message);

// "audio.gain (80 on)" as RFC 3259 text.
[[nodiscard]] std::string command_text(const command& which);
// "(80 on)"
[[nodiscard]] std::string arguments_text(const command& which);

[[nodiscard]] std::uint64_t milliseconds(std::chrono::system_clock::time_point when);

}  // namespace mbus::tools
