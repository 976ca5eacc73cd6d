#include "protocol/session_config_address.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace mbus::protocol {
namespace {

// Reads 1 to `digits_max` digits off the front of `text`.
std::optional<unsigned> take_number(std::string_view& text, int base, std::size_t digits_max) noexcept {
    unsigned number = 0;
    const auto window = text.substr(0, digits_max);
    const auto [end, failure] = std::from_chars(window.data(), window.data() + window.size(), number, base);
    if (failure != std::errc{} || end == window.data()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - window.data()));
    return number;
}

bool parse_v4(std::string_view text, std::uint8_t* out) noexcept {
    for (int part = 0; part < 4; ++part) {
        if (part != 0) {
            if (!text.starts_with('.')) return false;
            text.remove_prefix(1);
        }
        const auto number = take_number(text, 10, 3);
        if (!number || *number > 255) return false;
        out[part] = static_cast<std::uint8_t>(*number);
    }
    return text.empty();
}

bool parse_v6(std::string_view text, std::array<std::uint8_t, 16>& out) noexcept {
    std::size_t written = 0;
    std::optional<std::size_t> gap;  // where "::" stands
    if (text.starts_with("::")) {
        gap = 0;
        text.remove_prefix(2);
    }
    while (!text.empty()) {
        if (text.find(':') == std::string_view::npos && text.find('.') != std::string_view::npos) {
            if (written + 4 > out.size() || !parse_v4(text, out.data() + written)) return false;
            written += 4;
            break;
        }
        const auto group = take_number(text, 16, 4);
        if (!group || written + 2 > out.size()) return false;
        out[written++] = static_cast<std::uint8_t>(*group >> 8U);
        out[written++] = static_cast<std::uint8_t>(*group & 0xFFU);
        if (text.empty()) break;
        if (text.starts_with("::")) {
            if (gap) return false;
            gap = written;
            text.remove_prefix(2);
        } else if (text.size() > 1 && text.front() == ':') {
            text.remove_prefix(1);
        } else {
            return false;
        }
    }
    if (!gap) return written == out.size();
    if (written == out.size()) return false;
    // What follows the gap moves to the end; the gap is zero.
    const auto from = out.begin() + static_cast<std::ptrdiff_t>(*gap);
    const auto until = out.begin() + static_cast<std::ptrdiff_t>(written);
    const auto moved = std::copy_backward(from, until, out.end());
    std::fill(from, moved, std::uint8_t{0});
    return true;
}

}  // namespace

std::optional<ip_address> parse_ip_address(std::string_view text) noexcept {
    ip_address found;
    if (text.find(':') == std::string_view::npos) {
        return parse_v4(text, found.octets.data()) ? std::optional{found} : std::nullopt;
    }
    found.family = ip_family::v6;
    return parse_v6(text, found.octets) ? std::optional{found} : std::nullopt;
}

}  // namespace mbus::protocol
