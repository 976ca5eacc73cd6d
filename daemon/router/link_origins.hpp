// The ids of messages that came over links, so that none is taken twice (docs/mbws.md, section 9).
//
//     if (auto id = parse_origin("0123456789abcdef:42"); id && !origins.first(now, *id)) drop();
//
// One thread.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "mbws/link_session.hpp"
#include "mbws/time.hpp"

namespace mbusd {

inline constexpr std::size_t origins_max = 65536;
inline constexpr std::chrono::seconds origin_memory{60};

struct message_origin {
    std::uint64_t broker = 0;
    std::uint64_t number = 0;
    bool operator==(const message_origin&) const = default;
};

// "BROKER:NUMBER"; nothing for any other text.
inline std::optional<message_origin> parse_origin(std::string_view text) noexcept {
    constexpr std::size_t digits = 16;
    if (text.size() < digits + 2 || text[digits] != ':' || !mbus::mbws::is_broker_id(text.substr(0, digits))) {
        return std::nullopt;
    }
    message_origin out;
    std::from_chars(text.data(), text.data() + digits, out.broker, 16);
    const auto number = text.substr(digits + 1);
    const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), out.number);
    if (fault != std::errc{} || end != number.data() + number.size()) return std::nullopt;
    return out;
}

class link_origins {
public:
    // False when it was seen before. Remembers origins_max of them, and what is older than
    // origin_memory goes.
    bool first(mbus::mbws::time_point now, const message_origin& which) {
        while (!order_.empty() && (order_.size() >= origins_max || order_.front().first + origin_memory < now)) {
            seen_.erase(order_.front().second);
            order_.pop_front();
        }
        if (!seen_.insert(which).second) return false;
        order_.emplace_back(now, which);
        return true;
    }
    [[nodiscard]] std::size_t size() const noexcept { return seen_.size(); }

private:
    struct hash {
        std::size_t operator()(const message_origin& which) const noexcept {
            return std::hash<std::uint64_t>{}(which.broker * 0x9E3779B97F4A7C15 ^ which.number);
        }
    };
    std::unordered_set<message_origin, hash> seen_;
    std::deque<std::pair<mbus::mbws::time_point, message_origin>> order_;
};

}  // namespace mbusd
