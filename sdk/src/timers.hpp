// Things to do later. Cancelled by number; runs none while another is being added.
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include <mbus/operation.hpp>

#include "link.hpp"

namespace mbus::detail {

class timers {
public:
    using id = std::pair<clock::time_point, std::uint64_t>;

    id at(clock::time_point when, std::function<void()> what) {
        const id key{when, ++last_};
        waiting_.emplace(key, std::move(what));
        return key;
    }
    void cancel(const id& which) { waiting_.erase(which); }

    [[nodiscard]] clock::time_point next() const noexcept {
        return waiting_.empty() ? never : waiting_.begin()->first.first;
    }

    // Runs what is due; what that adds, even if due at once, waits for the next call.
    bool run(clock::time_point now) {
        const auto newest = last_;
        bool ran = false;
        for (;;) {
            auto due = waiting_.begin();
            while (due != waiting_.end() && due->first.first <= now && due->first.second > newest) ++due;
            if (due == waiting_.end() || due->first.first > now) return ran;
            auto what = std::move(due->second);
            waiting_.erase(due);
            what();
            ran = true;
        }
    }

private:
    std::map<id, std::function<void()>> waiting_;
    std::uint64_t last_ = 0;
};

}  // namespace mbus::detail
