// A user's unit test: two programs on an in-process bus.
#include <iostream>

#include <mbus/mbus.hpp>
#include <mbus/testing.hpp>

int main() {
    using namespace std::chrono_literals;
    mbus::testing::bus bus{1};
    auto a = bus.connect();
    auto b = bus.connect("other");
    auto sender = a.attach("app:a").wait();
    auto receiver = b.attach("app:b").wait();
    if (!sender || !receiver) return 1;
    bus.advance(1500ms);
    const auto sent = sender->send_reliably("app:b", {"x.y", {42}}).wait();
    if (!sent) return std::cerr << describe(sent.error()) << '\n', 2;
    const auto got = receiver->receive(1s);
    return got && got->commands().at(0).name == "x.y" ? 0 : 3;
}
