// Uses URLs; without a daemon at the other end it says so and ends with 3.
#include <iostream>

#include <mbus/mbus.hpp>
#include <mbus/websocket.hpp>

int main() {
    for (const char* url : {"ws://127.0.0.1:1/mbws", "wss://127.0.0.1:1/mbws"}) {
        const auto bus = mbus::connect(url, {.token = "none"});
        if (bus) return 2;
        std::cout << describe(bus.error()) << '\n';
        if (bus.error().code != mbus::errc::no_daemon) return 4;
    }
    return 3;
}
