#include "atom/timestamp.hpp"

#include <array>
#include <cstddef>
#include <cstdio>
#include <ctime>

namespace mbusd::atom {
namespace {

// So many digits at the front of `text`, which loses them; -1: there are not.
int number(std::string_view& text, std::size_t digits) noexcept {
    if (text.size() < digits) return -1;
    int out = 0;
    for (const char c : text.substr(0, digits)) {
        if (c < '0' || c > '9') return -1;
        out = out * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return out;
}

bool take(std::string_view& text, char what) noexcept {
    if (text.empty() || text.front() != what) return false;
    text.remove_prefix(1);
    return true;
}

int days_of(int month, int year) noexcept {
    constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days.at(static_cast<std::size_t>(month - 1)) + (month == 2 && leap ? 1 : 0);
}

bool is_zone(std::string_view text) noexcept {
    if (text == "Z") return true;
    if (!take(text, '+') && !take(text, '-')) return false;
    const int hours = number(text, 2);
    if (hours < 0 || hours > 23 || !take(text, ':')) return false;
    const int minutes = number(text, 2);
    return minutes >= 0 && minutes <= 59 && text.empty();
}

}  // namespace

std::string date_text(std::uint64_t ms_since_1970) {
    const auto when = static_cast<std::time_t>(ms_since_1970 / 1000);
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    std::array<char, 40> text{};
    auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::string out{text.data(), size};
    if (const auto rest = ms_since_1970 % 1000; rest != 0) {
        size = static_cast<std::size_t>(std::snprintf(text.data(), text.size(), ".%03u", static_cast<unsigned>(rest)));
        out.append(text.data(), size);
    }
    return out + 'Z';
}

bool is_date(std::string_view text) noexcept {
    const int year = number(text, 4);
    if (year < 0 || !take(text, '-')) return false;
    const int month = number(text, 2);
    if (month < 1 || month > 12 || !take(text, '-')) return false;
    const int day = number(text, 2);
    if (day < 1 || day > days_of(month, year) || !take(text, 'T')) return false;
    const int hour = number(text, 2);
    if (hour < 0 || hour > 23 || !take(text, ':')) return false;
    const int minute = number(text, 2);
    if (minute < 0 || minute > 59 || !take(text, ':')) return false;
    const int second = number(text, 2);
    if (second < 0 || second > 60) return false;
    if (take(text, '.')) {
        if (number(text, 1) < 0) return false;
        while (number(text, 1) >= 0) {}
    }
    return is_zone(text);
}

}  // namespace mbusd::atom
