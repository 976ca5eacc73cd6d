// Keeps an interface_table true: one dump at the start, then every event of the kernel.
//
//     netlink_watch watch{context, table, log};
//     watch.read_all();
//     watch.start([&] { /* the table has changed */ });
//
// When events were lost (ENOBUFS) the table is read anew. Without events there are no wake-ups.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "bus/interface_table.hpp"
#include "runtime/log.hpp"

namespace mbusd {

class netlink_watch {
public:
    // Subscribes, so that nothing is missed between read_all() and start(). Throws
    // std::system_error when the kernel gives no netlink socket.
    netlink_watch(boost::asio::io_context& context, interface_table& table, logger& log);
    ~netlink_watch() { stop(); }
    netlink_watch(const netlink_watch&) = delete;
    netlink_watch& operator=(const netlink_watch&) = delete;

    // Dumps interfaces and addresses into the table, synchronously (well below a millisecond).
    void read_all();

    void start(std::function<void()> changed);
    void stop();  // safe inside `changed`

    [[nodiscard]] std::uint64_t overruns() const noexcept { return overruns_; }

private:
    void wait();
    bool drain();  // true if the table changed

    interface_table& table_;
    logger& log_;
    boost::asio::posix::stream_descriptor events_;
    std::function<void()> changed_;
    // Handlers that were ready before stop() run after it: this tells them.
    std::shared_ptr<bool> open_ = std::make_shared<bool>(true);
    std::uint64_t overruns_ = 0;
};

}  // namespace mbusd
