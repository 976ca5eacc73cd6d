// Calls that are due later, from the event loop; those that are not when this ends are forgotten.
//
//     delayed_calls calls{context};
//     calls.after(10s, [] { give_up(); });
//
// One thread: that of `context`, which outlives the object.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace mbusd {

class delayed_calls {
public:
    explicit delayed_calls(boost::asio::io_context& context) : context_(context) {}

    void after(std::chrono::milliseconds wait, std::function<void()> what) {
        const auto id = ++last_;
        auto& timer = timers_.try_emplace(id, context_, wait).first->second;
        timer.async_wait([this, id, call = std::move(what)](const boost::system::error_code& gone) {
            if (gone) return;
            timers_.erase(id);
            call();
        });
    }
    void cancel() { timers_.clear(); }

private:
    boost::asio::io_context& context_;
    std::unordered_map<std::uint64_t, boost::asio::steady_timer> timers_;
    std::uint64_t last_ = 0;
};

}  // namespace mbusd
