#include "cli/text.hpp"

#include <ctime>

#include <fmt/format.h>

#include "message/text.hpp"

namespace mbus::tools {
namespace {

// Octets of the printable character at `at`; 0 when it is not one.
std::size_t printable_length(std::string_view text, std::size_t at) {
    const auto octet = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const bool control = octet(at) < 0x20 || octet(at) == 0x7F;
    const std::size_t length = control ? 0 : text::utf8_sequence(text, at);
    const bool c1 = length == 2 && octet(at) == 0xC2 && octet(at + 1) < 0xA0;  // U+0080 to U+009F
    return c1 ? 0 : length;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto length = printable_length(text, at);
        if (length == 0) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
            ++at;
        } else {
            out.append(text, at, length);
            at += length;
        }
    }
    return out;
}

std::string local_time(std::chrono::system_clock::time_point when) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
    const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
    std::tm parts{};
    localtime_r(&seconds, &parts);
    return fmt::format("{:02}:{:02}:{:02}.{:03}", parts.tm_hour, parts.tm_min, parts.tm_sec, milliseconds % 1000);
}

}  // namespace mbus::tools
