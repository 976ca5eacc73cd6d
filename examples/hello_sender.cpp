// Blocking calls: one message to everyone who fits, one reliable message to exactly one.
#include <iostream>

#include <mbus/mbus.hpp>

int main() {
    auto bus = mbus::connection::connect();
    if (!bus) return std::cerr << describe(bus.error()) << '\n', 1;
    auto me = bus->attach("app:hello-sender").wait();
    if (!me) return std::cerr << describe(me.error()) << '\n', 1;

    if (const auto sent = me->send("app:b", {"demo.text", {"hello", 1, 2.5, mbus::symbol{"sym"}}}); !sent) {
        return std::cerr << describe(sent.error()) << '\n', 1;
    }
    const auto delivery = me->send_reliably("app:b", {"demo.text", {"reliably"}}).wait();
    if (!delivery) return std::cerr << describe(delivery.error()) << '\n', 1;
    std::cout << "acknowledged by " << delivery->by.text() << " after " << delivery->tried << " transmission(s), "
              << delivery->took.count() << " ms\n";
}
