// When one entity says hello (RFC 3259, sections 8.1 and 9.1 to 9.3), and when others count as gone
// (section 8.2). Times are monotonic (trap W8); `entities` is the number of known entities,
// including oneself, at the moment of the call.
//
//     hello_schedule schedule{now, random};              // joining
//     if (schedule.expire(now, entities, random)) send_hello();
//     timer.expires_at(schedule.deadline());
#pragma once

#include <chrono>
#include <cstddef>

#include "protocol/random_source.hpp"
#include "protocol/time.hpp"

namespace mbus::protocol {

// Section 10.
inline constexpr auto hello_factor = std::chrono::milliseconds{200};  // c_hello_factor, per entity
inline constexpr auto hello_min = std::chrono::milliseconds{1000};    // c_hello_min
inline constexpr double hello_dither_min = 0.9;                       // c_hello_dither_min
inline constexpr double hello_dither_max = 1.1;                       // c_hello_dither_max
inline constexpr int hello_dead = 5;                                  // c_hello_dead

// hello_d = max(c_hello_min, c_hello_factor * entities).
[[nodiscard]] duration hello_interval(std::size_t entities) noexcept;

// c_hello_dead * hello_d * c_hello_dither_max: silent for longer means gone.
[[nodiscard]] duration peer_timeout(std::size_t entities) noexcept;

class hello_schedule {
public:
    // Joins: the first hello comes after a random delay up to c_hello_min (section 9.1, trap W2).
    hello_schedule(time_point now, random_source& random) noexcept;

    // The next hello: regular or in answer to a ping.
    [[nodiscard]] time_point deadline() const noexcept { return next_ < answer_ ? next_ : answer_; }

    // Runs what is due. True: send a hello now. The regular one is reconsidered when its timer
    // expires (section 8.1.5): the group may have grown since.
    bool expire(time_point now, std::size_t entities, random_source& random) noexcept;

    // The number of known entities fell to `entities` (section 8.1.4).
    void shrink(time_point now, std::size_t entities) noexcept;

    // A ping arrived: a hello follows after a random delay up to c_hello_min (section 9.3). One
    // that is on its way already answers this ping too.
    void ping(time_point now, random_source& random) noexcept;

    // The variables of section 8.1.1.
    [[nodiscard]] time_point last_hello() const noexcept { return last_; }               // hello_p
    [[nodiscard]] time_point next_hello() const noexcept { return next_; }               // hello_n
    [[nodiscard]] std::size_t entities_then() const noexcept { return entities_then_; }  // entities_p

private:
    void said(time_point now, std::size_t entities, random_source& random) noexcept;

    time_point last_;
    time_point next_;
    time_point answer_ = never;  // when a ping is answered
    std::size_t entities_then_ = 1;
    bool first_ = true;  // the first hello is still to come
};

}  // namespace mbus::protocol
