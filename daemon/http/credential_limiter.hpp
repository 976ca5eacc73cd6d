// Slows down who guesses credentials: after some failures in a minute an address is not looked at
// for a while.
//
//     if (auto wait = limiter.blocked_for(now, address)) answer_429(*wait);
//     if (!known(token)) limiter.failed(now, address);
//
// Bounded: the oldest entry makes room. Thread-safety: none.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "http/client_address.hpp"

namespace mbusd {

class credential_limiter {
public:
    using time_point = std::chrono::steady_clock::time_point;

    // A program with a wrong token in its configuration stays below; a guesser gets nowhere anyway.
    static constexpr unsigned failures_max = 20;
    static constexpr std::chrono::seconds window{60};
    static constexpr std::chrono::seconds pause{30};
    // Some hundred kilobytes; an attacker with more addresses gains nothing by pushing others out.
    static constexpr std::size_t addresses_max = 4096;

    [[nodiscard]] std::optional<std::chrono::seconds> blocked_for(time_point now, const client_address& who) const;
    void failed(time_point now, const client_address& who);
    [[nodiscard]] std::uint64_t failures() const noexcept { return total_; }

private:
    struct record {
        time_point since;
        time_point blocked_until;
        unsigned failures = 0;
    };
    void make_room(time_point now);

    std::map<client_address, record> records_;
    std::uint64_t total_ = 0;
};

}  // namespace mbusd
