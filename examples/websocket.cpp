// A program on another host: the same API over WebSocket.
//
//     websocket wss://bus.example.org/mbws                       prints what comes for app:remote
//     websocket wss://bus.example.org/mbws app:b 'x.y(1)'...     sends reliably, one message after another
//
// $MBUS_TOKEN_FILE holds the token (mbus client add NAME), $MBUS_CA_FILE certificates to trust.
#include <cstdlib>
#include <iostream>

#include <mbus/mbus.hpp>
#include <mbus/websocket.hpp>

namespace {

std::string variable(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? "" : text;
}

int listen(mbus::connection& bus) {
    auto me = bus.attach("app:remote").wait();
    if (!me) return std::cerr << describe(me.error()) << '\n', 1;
    std::cout << "listening as " << me->address().text() << std::endl;
    me->on_message([&](const mbus::received_message& message) {
        std::cout << message.from.text() << ": " << message.body << std::endl;
        for (const auto& command : message.commands()) {
            if (command.name == "mbus.quit") bus.stop();
        }
    });
    const auto ended = bus.run();
    if (!ended) return std::cerr << describe(ended.error()) << '\n', 1;
    return 0;
}

int send(mbus::connection& bus, const char* to, char** commands) {
    auto me = bus.attach("app:remote-sender").wait();
    if (!me) return std::cerr << describe(me.error()) << '\n', 1;
    for (; *commands != nullptr; ++commands) {
        const auto delivery = me->send_reliably(to, *commands).wait();
        if (!delivery) return std::cerr << describe(delivery.error()) << '\n', 1;
        std::cout << "acknowledged by " << delivery->by.text() << std::endl;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return std::cerr << "usage: websocket URL [TO COMMAND...]\n", 2;
    auto bus = mbus::connect(argv[1], {.token_file = variable("MBUS_TOKEN_FILE"), .ca_file = variable("MBUS_CA_FILE")});
    if (!bus) return std::cerr << describe(bus.error()) << '\n', 1;
    return argc > 3 ? send(*bus, argv[2], argv + 3) : listen(*bus);
}
