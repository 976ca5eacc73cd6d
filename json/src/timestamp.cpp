// Time stamps in the form of RFC 3339, always UTC.
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include <mbus_json/message_json.hpp>

namespace mbus::json {
namespace {

// Reads exactly `width` digits at `at`; -1 where there are none.
int digits_at(std::string_view text, std::size_t at, std::size_t width) {
    if (at + width > text.size()) return -1;
    int number = 0;
    for (std::size_t i = at; i < at + width; ++i) {
        if (text[i] < '0' || text[i] > '9') return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

error malformed(std::string_view text) {
    return {errc::bad_value, "expected a time such as \"2026-11-20T21:14:24.123Z\", not \"" +
                                 std::string{text.substr(0, 40)} + "\""};
}

// Milliseconds of ".123" up to the final Z; -1 when it is no fraction.
int milliseconds_of(std::string_view fraction) {
    if (fraction.empty()) return 0;
    if (fraction.size() < 2 || fraction.size() > 10 || fraction.front() != '.') return -1;
    int number = 0;
    int scale = 100;
    for (const char digit : fraction.substr(1)) {
        if (digit < '0' || digit > '9') return -1;
        number += (digit - '0') * scale;
        scale /= 10;
    }
    return number;
}

}  // namespace

std::string format_timestamp(std::uint64_t milliseconds_since_1970) {
    using namespace std::chrono;
    const sys_time<milliseconds> when{milliseconds{static_cast<std::int64_t>(milliseconds_since_1970)}};
    const auto day = floor<days>(when);
    const year_month_day date{day};
    const hh_mm_ss<milliseconds> time{when - day};
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
    return text.data();
}

result<std::uint64_t> parse_timestamp(std::string_view text) {
    using namespace std::chrono;
    // yyyy-mm-ddThh:mm:ss has 19 octets; then a fraction or not, then Z.
    if (text.size() < 20 || text.back() != 'Z') return malformed(text);
    if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') return malformed(text);
    const int y = digits_at(text, 0, 4);
    const int mo = digits_at(text, 5, 2);
    const int d = digits_at(text, 8, 2);
    const int h = digits_at(text, 11, 2);
    const int mi = digits_at(text, 14, 2);
    const int s = digits_at(text, 17, 2);
    const int ms = milliseconds_of(text.substr(19, text.size() - 20));
    if (y < 1970 || mo < 0 || d < 0 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59 || ms < 0) {
        return malformed(text);
    }
    const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
    if (!date.ok()) return malformed(text);
    const auto when = sys_days{date}.time_since_epoch() + hours{h} + minutes{mi} + seconds{s} + milliseconds{ms};
    const auto count = static_cast<std::uint64_t>(duration_cast<milliseconds>(when).count());
    if (count > timestamp_max) return {errc::bad_value, "expected a time before the year 2286 (13 digits of milliseconds)"};
    return count;
}

}  // namespace mbus::json
