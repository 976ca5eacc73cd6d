// Blocking calls: listens as (app:b) and prints what it is sent. With a number it ends after as many
// messages.   ./hello_listener [COUNT]
#include <cstdlib>
#include <iostream>

#include <mbus/mbus.hpp>

int main(int argc, char** argv) {
    auto bus = mbus::connection::connect();
    if (!bus) return std::cerr << describe(bus.error()) << '\n', 1;
    auto me = bus->attach("app:b").wait();
    if (!me) return std::cerr << describe(me.error()) << '\n', 1;
    std::cout << "listening as " << me->address().text() << std::endl;

    for (int left = argc > 1 ? std::atoi(argv[1]) : -1; left != 0; --left) {
        const auto message = me->receive(mbus::no_limit);
        if (!message) return std::cerr << describe(message.error()) << '\n', 1;
        for (const auto& command : message->commands()) {
            std::cout << message->from.text() << ' ' << command.name
                      << *format_value(command.arguments) << std::endl;
        }
    }
}
