// The deadlines of many connections on one timer; without any there is no wake-up.
//
//     deadlines.set(id, now + idle);     // replaces the earlier one
//     deadlines.drop(id);
//
// `due` is called with the id, once, after the time; it may call set() and drop(). One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <unordered_map>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace mbusd {

class deadline_queue {
public:
    using clock = std::chrono::steady_clock;

    // Deadlines are met up to this late, so that a busy server arms its timer rarely.
    static constexpr std::chrono::milliseconds coarseness{250};

    deadline_queue(boost::asio::io_context& context, std::function<void(std::uint64_t id)> due)
        : timer_(context), due_(std::move(due)) {}

    void set(std::uint64_t id, clock::time_point when);
    void drop(std::uint64_t id);
    void close();

private:
    void arm();
    void run();

    boost::asio::steady_timer timer_;
    std::function<void(std::uint64_t)> due_;
    std::set<std::pair<clock::time_point, std::uint64_t>> queue_;
    std::unordered_map<std::uint64_t, clock::time_point> times_;
    clock::time_point armed_ = clock::time_point::max();
    bool closed_ = false;
};

}  // namespace mbusd
