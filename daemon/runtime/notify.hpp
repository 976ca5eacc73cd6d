// What the service manager is told (sd_notify(3)), and its watchdog. Without NOTIFY_SOCKET nothing
// happens.
//
//     service_manager manager;
//     manager.ready("3 interfaces");
//     watchdog dog{context, manager};      // WATCHDOG=1 at half of WATCHDOG_USEC, if that is set
//     manager.stopping();
//
// The protocol is one datagram to a Unix socket, so no library is needed.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace mbusd {

class service_manager {
public:
    // Takes NOTIFY_SOCKET from the environment and removes it there: children do not notify.
    service_manager();
    // For tests.
    explicit service_manager(std::string socket_path) : path_(std::move(socket_path)) {}

    [[nodiscard]] bool present() const noexcept { return !path_.empty(); }

    // False when nobody listens or the datagram was not taken.
    bool ready(std::string_view status) const;
    bool reloading() const;  // with MONOTONIC_USEC; follow it with ready()
    bool stopping() const;
    bool status(std::string_view text) const;
    bool alive() const;  // WATCHDOG=1

    // Half of WATCHDOG_USEC when it is meant for this process.
    [[nodiscard]] static std::optional<std::chrono::microseconds> watchdog_interval();

private:
    bool tell(std::string_view state) const;

    std::string path_;
};

// Proves once per interval that the event loop still turns. No timer when no watchdog is wanted.
class watchdog {
public:
    watchdog(boost::asio::io_context& context, const service_manager& manager);
    void stop();

private:
    void wait();

    const service_manager& manager_;
    boost::asio::steady_timer timer_;
    std::optional<std::chrono::microseconds> interval_;
};

}  // namespace mbusd
