// Slows down who guesses credentials: after some failures in a minute an address is not looked at
// for a while, which is longer each time. Passwords, which people choose, wait after every failure.
//
//     if (auto wait = limiter.blocked_for(now, address)) answer_429(*wait);
//     if (!known(token)) limiter.failed(now, address);
//     look_at_the_next_password_after(limiter.password_delay(now, address));
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
    // Twice as long each time, up to 8 minutes; all is forgotten after a while without a failure.
    static constexpr unsigned doublings_max = 4;
    static constexpr std::chrono::seconds forgiven_after{900};
    // After the first wrong password, and twice as long after each one more: nobody notices the first, and others
    // behind the same address can still log in.
    static constexpr std::chrono::milliseconds password_delay_first{125};
    static constexpr std::chrono::milliseconds password_delay_max{2000};
    // Some hundred kilobytes; an attacker with more addresses gains nothing by pushing others out.
    static constexpr std::size_t addresses_max = 4096;

    [[nodiscard]] std::optional<std::chrono::seconds> blocked_for(time_point now, const client_address& who) const;
    void failed(time_point now, const client_address& who);
    // How long the next password of this address is not looked at yet.
    [[nodiscard]] std::chrono::milliseconds password_delay(time_point now, const client_address& who) const;
    [[nodiscard]] std::uint64_t failures() const noexcept { return total_; }

private:
    struct record {
        time_point since;
        time_point blocked_until;
        time_point last;        // failure
        unsigned failures = 0;  // since `since`
        unsigned in_a_row = 0;  // since it was forgiven
        unsigned blocked = 0;   // times
    };
    void make_room(time_point now);

    std::map<client_address, record> records_;
    std::uint64_t total_ = 0;
};

}  // namespace mbusd
