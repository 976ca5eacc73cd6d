// A loop of your own: polls the connection beside standard input. Each line goes to everyone as a
// string; what others say is printed. Ends with the input.
#include <poll.h>

#include <iostream>
#include <string>

#include <mbus/mbus.hpp>

int main() {
    auto bus = mbus::connection::connect();
    if (!bus) return std::cerr << describe(bus.error()) << '\n', 1;
    auto me = bus->attach("app:chat").wait();
    if (!me) return std::cerr << describe(me.error()) << '\n', 1;
    me->on_message([](const mbus::received_message& message) {
        for (const auto& command : message.commands()) {
            if (command.name != "chat.line" || command.arguments.empty()) continue;
            std::cout << message.from.text() << ": " << *format_value(command.arguments[0]) << std::endl;
        }
    });
    bus->on_state([](const mbus::connection_event& event) {
        std::cerr << "connection " << to_string(event.state) << ' ' << event.reason.text << '\n';
    });

    // One descriptor for the life of the connection; reading is all there is to wait for.
    pollfd waiting[] = {{bus->fd(), POLLIN, 0}, {0, POLLIN, 0}};
    for (std::string line; ::poll(waiting, 2, -1) >= 0;) {
        if (waiting[0].revents != 0) {
            if (const auto alive = bus->process(); !alive) return std::cerr << describe(alive.error()) << '\n', 1;
        }
        if (waiting[1].revents == 0) continue;
        if (!std::getline(std::cin, line)) return 0;
        const auto sent = me->send("app:chat", {"chat.line", {line}});
        if (!sent) std::cerr << describe(sent.error()) << '\n';
    }
}
