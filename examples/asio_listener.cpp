// Asio: the connection as a citizen of an io_context, awaited by its coroutines. Ends after COUNT
// messages or ten seconds.   ./asio_listener [COUNT]
#include <cstdlib>
#include <iostream>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <mbus/asio.hpp>

namespace asio = boost::asio;

namespace {

asio::awaitable<void> listen(mbus::asio_connection& bus, int left) {
    auto me = co_await bus.wait(bus->attach("app:asio"), asio::use_awaitable);
    if (!me) {
        std::cerr << describe(me.error()) << '\n';
        co_return bus.stop();
    }
    std::cout << "listening as " << me->address().text() << std::endl;
    for (; left != 0; --left) {
        const auto message = co_await bus.wait(me->receive(), asio::use_awaitable);
        if (!message) break;
        std::cout << message->from.text() << ' ' << message->body << std::endl;
    }
    bus.stop();
}

}  // namespace

int main(int argc, char** argv) {
    asio::io_context context;
    mbus::asio_connection bus{context.get_executor()};
    asio::co_spawn(context, listen(bus, argc > 1 ? std::atoi(argv[1]) : -1), asio::detached);
    context.run_for(std::chrono::seconds{10});
}
