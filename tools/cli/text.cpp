#include "cli/text.hpp"

#include <ctime>

#include <fmt/format.h>

namespace mbus::tools {
namespace {

bool continues(std::string_view text, std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

// Octets of the printable character at `at`; 0 when it is not one.
std::size_t printable_length(std::string_view text, std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
    if (lead == 0xC2) return continues(text, at + 1) && static_cast<unsigned char>(text[at + 1]) >= 0xA0 ? 2 : 0;
    if (lead > 0xC2 && lead <= 0xDF) return continues(text, at + 1) ? 2 : 0;
    if ((lead & 0xF0U) == 0xE0U) return continues(text, at + 1) && continues(text, at + 2) ? 3 : 0;
    if (lead >= 0xF0 && lead <= 0xF4) {
        return continues(text, at + 1) && continues(text, at + 2) && continues(text, at + 3) ? 4 : 0;
    }
    return 0;
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
