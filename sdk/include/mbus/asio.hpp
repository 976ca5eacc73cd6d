// A connection on an Asio executor. Opt-in: needs Boost.Asio, or standalone Asio with
// MBUS_STANDALONE_ASIO defined; libmbus itself needs neither.
//
//     asio::io_context context;
//     mbus::asio_connection bus{context.get_executor()};
//     auto me = co_await bus.wait(bus->attach("app:x"), asio::use_awaitable);      // result<entity>
//     auto sent = co_await bus.wait(me->send_reliably(...), asio::use_awaitable);
//
// Any completion token works; its signature is void(mbus::result<T>). Cancelling the token's wait is
// not needed: every operation ends by its own limit or with the connection.
//
// Thread-safety: none. The executor must run one thread, or be a strand that all uses share.
#pragma once

#include <memory>
#include <utility>

#if defined(MBUS_STANDALONE_ASIO)
#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/dispatch.hpp>
#include <asio/posix/stream_descriptor.hpp>
#else
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#endif

#include <mbus/connection.hpp>

namespace mbus {

namespace detail {
#if defined(MBUS_STANDALONE_ASIO)
namespace net = ::asio;
#else
namespace net = ::boost::asio;
#endif
}  // namespace detail

class asio_connection {
public:
    explicit asio_connection(detail::net::any_io_executor executor, const connect_options& options = {})
        : asio_connection(std::move(executor), connection::start(options)) {}

    // Takes over a connection that was made before.
    asio_connection(detail::net::any_io_executor executor, connection made)
        : state_(std::make_shared<state>(std::move(executor), std::move(made))) {
        state_->watch();
    }

    asio_connection(asio_connection&&) noexcept = default;
    asio_connection& operator=(asio_connection&&) = delete;
    ~asio_connection() { stop(); }

    [[nodiscard]] connection* operator->() noexcept { return &state_->held; }
    [[nodiscard]] connection& operator*() noexcept { return state_->held; }

    // Waits for an operation; completes with result<T> on the token's executor.
    template <class T, class Token>
    auto wait(operation<T> what, Token&& token) {
        namespace net = detail::net;
        return net::async_initiate<Token, void(result<T>)>(
            [fallback = state_->socket.get_executor()](auto handler, operation<T> under_way) {
                auto executor = net::get_associated_executor(handler, fallback);
                std::move(under_way).then(
                    [executor, handler = std::move(handler)](result<T> outcome) mutable {
                        net::dispatch(executor, [handler = std::move(handler), outcome = std::move(outcome)]() mutable {
                            std::move(handler)(std::move(outcome));
                        });
                    });
            },
            token, std::move(what));
    }

    // Watches no longer, so that the io_context may run out of work. The connection stays usable by
    // blocking calls.
    void stop() noexcept {
        if (!state_ || std::exchange(state_->stopped, true)) return;
        // The descriptor belongs to the connection.
        state_->socket.cancel();
    }

private:
    struct state : std::enable_shared_from_this<state> {
        state(detail::net::any_io_executor executor, connection made)
            : held(std::move(made)), socket(std::move(executor), held.fd()) {}
        ~state() { socket.release(); }
        state(const state&) = delete;
        state& operator=(const state&) = delete;

        void watch() {
            // The loop holds the state while it waits, never while it runs handlers.
            socket.async_wait(detail::net::posix::stream_descriptor::wait_read,
                              [self = this->shared_from_this()](const auto& failure) {
                                  if (failure || self->stopped) return;
                                  const auto alive = self->held.process();
                                  if (alive && !self->stopped) self->watch();
                              });
        }

        connection held;
        detail::net::posix::stream_descriptor socket;
        bool stopped = false;
    };

    std::shared_ptr<state> state_;
};

}  // namespace mbus
