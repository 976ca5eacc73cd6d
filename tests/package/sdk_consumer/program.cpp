// Uses a bit of everything that libmbus exports; without a daemon it says so and ends with 3.
#include <iostream>

#include <mbus/mbus.hpp>

int main() {
    const auto address = mbus::address::parse("(app:a media:audio)");
    const auto commands = mbus::parse_commands("x.y(1 2.5 \"s\" on <AAEC> (1))");
    if (!address || !commands || !mbus::format_commands(*commands)) return 1;
    auto bus = mbus::connection::connect({.socket = "/nonexistent/mbusd.sock"});
    if (bus) return 2;
    std::cout << describe(bus.error()) << '\n';
    return bus.error().code == mbus::errc::no_daemon ? 3 : 4;
}
