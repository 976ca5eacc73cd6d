#include "http/readiness.hpp"

#include <utility>

#include <boost/asio/post.hpp>

namespace mbusd {

using boost::asio::posix::stream_descriptor;

readiness::readiness(boost::asio::io_context& context, unique_fd socket)
    : context_(context), descriptor_(socket.get()) {
    socket_ = std::make_unique<stream_descriptor>(context, socket.release());
}

void readiness::direction::fire() {
    if (auto call = std::exchange(ready, nullptr)) call();
}

void readiness::wait(direction pending::* which, stream_descriptor::wait_type what, std::function<void()> ready) {
    auto& side = (*pending_).*which;
    side.ready = std::move(ready);
    if (!socket_ || std::exchange(side.waiting, true)) return;
    socket_->async_wait(what, [held = pending_, which](const boost::system::error_code& fault) {
        auto& mine = (*held).*which;
        mine.waiting = false;
        if (fault != boost::asio::error::operation_aborted) mine.fire();
    });
}

void readiness::call_soon(direction pending::* which, std::function<void()> ready) {
    auto& side = (*pending_).*which;
    side.ready = std::move(ready);
    if (!socket_ || std::exchange(side.posted, true)) return;
    boost::asio::post(context_, [held = pending_, which] {
        auto& mine = (*held).*which;
        mine.posted = false;
        mine.fire();
    });
}

void readiness::wait_readable(std::function<void()> ready) {
    wait(&pending::input, stream_descriptor::wait_read, std::move(ready));
}

void readiness::wait_writable(std::function<void()> ready) {
    wait(&pending::output, stream_descriptor::wait_write, std::move(ready));
}

void readiness::call_soon_readable(std::function<void()> ready) { call_soon(&pending::input, std::move(ready)); }
void readiness::call_soon_writable(std::function<void()> ready) { call_soon(&pending::output, std::move(ready)); }

void readiness::close() noexcept {
    pending_->input.ready = nullptr;
    pending_->output.ready = nullptr;
    socket_.reset();  // closes the descriptor
    descriptor_ = -1;
}

}  // namespace mbusd
