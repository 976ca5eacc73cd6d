#include "http/deadline_queue.hpp"

namespace mbusd {

void deadline_queue::set(std::uint64_t id, clock::time_point when) {
    const auto [found, added] = times_.try_emplace(id, when);
    if (!added) {
        queue_.erase({found->second, id});
        found->second = when;
    }
    queue_.insert({when, id});
    arm();
}

void deadline_queue::drop(std::uint64_t id) {
    const auto found = times_.find(id);
    if (found == times_.end()) return;
    queue_.erase({found->second, id});
    times_.erase(found);
    if (queue_.empty()) close();
    closed_ = false;
}

void deadline_queue::close() {
    closed_ = true;
    armed_ = clock::time_point::max();
    timer_.cancel();
}

// An armed timer that is early enough stays; one that turns out too early is armed anew when it ends.
void deadline_queue::arm() {
    if (queue_.empty() || closed_) return;
    const auto wanted = queue_.begin()->first + coarseness;
    if (armed_ <= wanted) return;
    armed_ = wanted;
    timer_.expires_at(wanted);
    timer_.async_wait([this](const boost::system::error_code& gone) {
        if (!gone && !closed_) run();
    });
}

void deadline_queue::run() {
    armed_ = clock::time_point::max();
    const auto now = clock::now();
    while (!queue_.empty() && queue_.begin()->first <= now && !closed_) {
        const auto id = queue_.begin()->second;
        queue_.erase(queue_.begin());
        times_.erase(id);
        due_(id);
    }
    arm();
}

}  // namespace mbusd
