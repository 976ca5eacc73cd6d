#include "runtime/log.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mbusd {
namespace {

// One line per key and interval: enough to see that it goes on, too little to fill a disk.
constexpr std::chrono::seconds limit_interval{10};
// Keys name call sites and interfaces; beyond this many the oldest gates are forgotten.
constexpr std::size_t gates_max = 256;

constexpr std::array<std::string_view, 5> level_names{"error", "warning", "notice", "info", "debug"};

bool plain(std::string_view value) {
    return !value.empty() && std::ranges::all_of(value, [](char c) {
        return c > ' ' && c < 127 && c != '"' && c != '\\' && c != '=';
    });
}

// Quoted, with control characters written out: a log line stays one line whatever a peer sent.
void append_quoted(std::string& line, std::string_view value) {
    constexpr std::string_view digits = "0123456789abcdef";
    line += '"';
    for (const char c : value) {
        const auto octet = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            line += '\\';
            line += c;
        } else if (c == '\n') {
            line += "\\n";
        } else if (octet < ' ' || octet == 127) {
            line += "\\x";
            line += digits[octet >> 4];
            line += digits[octet & 15];
        } else {
            line += c;
        }
    }
    line += '"';
}

}  // namespace

std::string_view to_string(level which) noexcept { return level_names[static_cast<std::size_t>(which)]; }

bool parse_level(std::string_view text, level& into) noexcept {
    const auto found = std::ranges::find(level_names, text);
    if (found == level_names.end()) return false;
    into = static_cast<level>(found - level_names.begin());
    return true;
}

std::string format_log_line(std::string_view message, const std::vector<log_field>& fields) {
    std::string line{message};
    for (const auto& field : fields) {
        line += ' ';
        line += field.key;
        line += '=';
        if (plain(field.value))
            line += field.value;
        else
            append_quoted(line, field.value);
    }
    return line;
}

logger::logger(level threshold, log_sink sink)
    : threshold_(threshold),
      sink_(std::move(sink)),
      clock_([] { return std::chrono::steady_clock::now(); }) {}

void logger::write(level which, std::string_view message, log_fields fields) {
    if (enabled(which)) sink_(which, message, std::vector<log_field>{fields});
}

void logger::limited(level which, std::string_view key, std::string_view message, log_fields fields) {
    if (!enabled(which)) return;
    const auto now = clock_();
    auto found = gates_.find(key);
    if (found != gates_.end() && now < found->second.opens) {
        ++found->second.suppressed;
        return;
    }
    if (found == gates_.end()) {
        if (gates_.size() >= gates_max) {
            gates_.erase(
                std::ranges::min_element(gates_, {}, [](const auto& entry) { return entry.second.opens; }));
        }
        found = gates_.emplace(std::string{key}, gate{}).first;
    }
    std::vector<log_field> all{fields};
    if (found->second.suppressed != 0) {
        all.push_back({"suppressed", std::to_string(found->second.suppressed)});
    }
    found->second = {now + limit_interval, 0};
    sink_(which, message, all);
}

}  // namespace mbusd
