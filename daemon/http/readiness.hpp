// Waits of one socket for input and for room, with one callback each.
//
// Used by the byte streams. A callback never runs after close() or the destructor, though Asio
// delivers its cancelled waits later: the pending part is shared and emptied.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "runtime/unique_fd.hpp"

namespace mbusd {

class readiness {
public:
    readiness(boost::asio::io_context& context, unique_fd socket);
    ~readiness() { close(); }
    readiness(const readiness&) = delete;
    readiness& operator=(const readiness&) = delete;

    void wait_readable(std::function<void()> ready);
    void wait_writable(std::function<void()> ready);
    // `ready` is called from the io_context, whatever the socket says.
    void call_soon_readable(std::function<void()> ready);
    void call_soon_writable(std::function<void()> ready);
    void close() noexcept;
    [[nodiscard]] int descriptor() const noexcept { return socket_ ? descriptor_ : -1; }

private:
    struct direction {
        std::function<void()> ready;
        bool waiting = false;  // Asio has a wait under way
        bool posted = false;
        void fire();
    };
    struct pending {
        direction input;
        direction output;
    };

    void wait(direction pending::* which, boost::asio::posix::stream_descriptor::wait_type what, std::function<void()> ready);
    void call_soon(direction pending::* which, std::function<void()> ready);

    boost::asio::io_context& context_;
    std::unique_ptr<boost::asio::posix::stream_descriptor> socket_;
    int descriptor_ = -1;
    std::shared_ptr<pending> pending_ = std::make_shared<pending>();
};

}  // namespace mbusd
