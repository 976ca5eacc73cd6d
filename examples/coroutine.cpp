// Coroutines: a player that waits until somebody lets it go, then answers every message until it is
// asked to quit.   mbus go app:player ready; mbus-send app:player hello.you; mbus quit app:player
#include <iostream>

#include <mbus/mbus.hpp>

namespace {

mbus::task play(mbus::connection& bus) {
    auto me = co_await bus.attach("app:player");
    if (!me) {
        std::cerr << describe(me.error()) << '\n';
        co_return bus.stop();
    }
    std::cout << "waiting as " << me->address().text() << std::endl;
    if (const auto released = co_await me->wait_for("ready"); !released) co_return bus.stop();
    std::cout << "playing" << std::endl;

    while (const auto message = co_await me->receive()) {
        for (const auto& command : message->commands()) {
            if (command.name == "mbus.quit") co_return bus.stop();
            const mbus::payload answer{"player.got", {command.name}};  // g++ 12 takes no braces after co_await
            const auto sent = co_await me->send_reliably(message->from, answer);
            std::cout << command.name << (sent ? " answered" : " not answered") << std::endl;
        }
    }
}

}  // namespace

int main() {
    auto bus = mbus::connection::connect();
    if (!bus) return std::cerr << describe(bus.error()) << '\n', 1;
    const auto player = play(*bus);
    const auto ran = bus->run();
    return ran ? 0 : (std::cerr << describe(ran.error()) << '\n', 1);
}
