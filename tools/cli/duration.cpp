#include "cli/duration.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace mbus::tools {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    double number = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (read.ec != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
    const std::string_view unit{read.ptr, static_cast<std::size_t>(end - read.ptr)};
    double scale = 0;
    if (unit.empty() || unit == "s") scale = 1000;
    else if (unit == "ms") scale = 1;
    else if (unit == "m" || unit == "min") scale = 60'000;
    else if (unit == "h") scale = 3'600'000;
    else return std::nullopt;
    const double milliseconds = number * scale;
    if (milliseconds > static_cast<double>(std::chrono::milliseconds{duration_max}.count())) return std::nullopt;
    if (milliseconds < 1 && number != 0) return std::nullopt;
    return std::chrono::milliseconds{std::llround(milliseconds)};
}

std::string format_duration(std::chrono::milliseconds time) {
    const auto count = time.count();
    if (count < 1000) return fmt::format("{} ms", count);
    if (count < 60'000) return fmt::format("{:g} s", static_cast<double>(count) / 1000);
    if (count < 3'600'000) return fmt::format("{:g} min", static_cast<double>(count / 6'000) / 10);
    return fmt::format("{:g} h", static_cast<double>(count / 360'000) / 10);
}

}  // namespace mbus::tools
