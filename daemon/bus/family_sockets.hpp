// The two sockets of one family as the event loop sees them: the shared group socket and our own
// endpoint.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "bus/endpoint_socket.hpp"
#include "bus/group_socket.hpp"

namespace mbusd {

class family_sockets {
public:
    enum class which : std::uint8_t { group, endpoint };

    // Throws std::system_error.
    family_sockets(boost::asio::io_context& context, const bus_options& options, ip_family family);
    ~family_sockets();
    family_sockets(const family_sockets&) = delete;
    family_sockets& operator=(const family_sockets&) = delete;

    // Calls readable(socket) each time datagrams wait. One call at a time per socket.
    void start(std::function<void(which socket)> readable);
    void when_writable(std::function<void()> then);  // the endpoint
    // Closes both. Safe inside the callbacks.
    void stop();

    [[nodiscard]] group_socket& group() noexcept { return group_; }
    [[nodiscard]] const group_socket& group() const noexcept { return group_; }
    [[nodiscard]] const endpoint_socket& endpoint() const noexcept { return endpoint_; }

    // Interfaces on which group() is a member.
    std::set<std::uint32_t> joined;
    // Datagrams lost to a full buffer, as the kernel counts them per socket.
    std::map<which, std::uint32_t> kernel_drops;

private:
    void wait(which socket);

    group_socket group_;
    endpoint_socket endpoint_;
    // Borrow the file descriptors above, and give them back (release) before those close.
    boost::asio::posix::stream_descriptor group_events_;
    boost::asio::posix::stream_descriptor endpoint_events_;
    std::function<void(which)> readable_;
    // Handlers that were ready before stop() run after it: this tells them.
    std::shared_ptr<bool> open_ = std::make_shared<bool>(true);
};

}  // namespace mbusd
