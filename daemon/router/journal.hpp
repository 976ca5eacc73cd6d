// Changes on their way into the store: what happens in one turn is written as one transaction, and what
// has to wait for that is done when it is written. While one commit is under way the next gathers.
//
//     changes.step();                                   // a message or request begins: never split
//     put_received(changes.now(), session, number);
//     changes.after([=] { take_over(number); });        // when everything so far is written
//     changes.flush();                                  // end of the turn
//
// What can't be written (disk full) is tried again after retry_interval, and everything after it waits:
// nothing is acknowledged that is not stored. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include <mbus/result.hpp>

#include "mbws/time.hpp"
#include "store/transaction.hpp"

namespace mbusd {

inline constexpr std::chrono::seconds retry_interval{5};
// A transaction that has grown beyond this is closed at the next step: the first of what waits for it
// should not wait for all the rest of a burst.
inline constexpr std::size_t step_octets_max = 4 * 1024 * 1024;

class journal {
public:
    using written_function = std::function<void(const mbus::result<void>&)>;
    // store::submit(), or what a test does. Never calls back from inside.
    using commit_function = std::function<void(transaction, written_function)>;

    // `wake`: flush() is wanted at the end of this turn.
    journal(commit_function commit, std::function<void()> wake) : commit_(std::move(commit)), wake_(std::move(wake)) {}
    journal(const journal&) = delete;
    journal& operator=(const journal&) = delete;

    void step();
    // Where to write what belongs to the step.
    transaction& now();
    void after(std::function<void()> then);
    // Changes with every call of now().
    [[nodiscard]] std::uint64_t position() const noexcept { return position_; }

    void flush();
    // Hands everything over at once: the daemon stops.
    void finish();
    // Written is everything.
    [[nodiscard]] bool idle() const noexcept { return batches_.empty(); }

    void advance(mbus::mbws::time_point now);
    [[nodiscard]] mbus::mbws::time_point next_deadline() const noexcept { return retry_at_; }

private:
    struct batch {
        transaction changes;
        std::vector<std::function<void()>> then;
    };
    batch& open();
    void submit();
    void written(const mbus::result<void>& outcome);

    commit_function commit_;
    std::function<void()> wake_;
    std::deque<batch> batches_;  // the first is under way, the last gathers
    bool under_way_ = false;
    bool failed_ = false;
    bool finishing_ = false;
    std::uint64_t position_ = 0;
    mbus::mbws::time_point now_{};
    mbus::mbws::time_point retry_at_ = mbus::mbws::never;
};

}  // namespace mbusd
