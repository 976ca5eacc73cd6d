#include "bus/family_sockets.hpp"

#include <utility>

namespace mbusd {

using boost::asio::posix::stream_descriptor;

family_sockets::family_sockets(boost::asio::io_context& context, const bus_options& options, ip_family family)
    : group_(options, family),
      endpoint_(options, family),
      group_events_(context, group_.fd()),
      endpoint_events_(context, endpoint_.fd()) {}

family_sockets::~family_sockets() { stop(); }

void family_sockets::start(std::function<void(which)> readable) {
    readable_ = std::move(readable);
    wait(which::group);
    wait(which::endpoint);
}

void family_sockets::wait(which socket) {
    auto& events = socket == which::group ? group_events_ : endpoint_events_;
    events.async_wait(stream_descriptor::wait_read,
                      [this, socket, open = open_](const boost::system::error_code& failure) {
                          // After stop() `this` may be gone.
                          if (failure || !*open) return;
                          readable_(socket);
                          if (*open) wait(socket);
                      });
}

void family_sockets::when_writable(std::function<void()> then) {
    endpoint_events_.async_wait(stream_descriptor::wait_write, [then = std::move(then), open = open_](
                                                                   const boost::system::error_code& failure) {
        if (!failure && *open) then();
    });
}

void family_sockets::stop() {
    if (!std::exchange(*open_, false)) return;
    static_cast<void>(group_events_.release());
    static_cast<void>(endpoint_events_.release());
    group_.close();
    endpoint_.close();
}

}  // namespace mbusd
