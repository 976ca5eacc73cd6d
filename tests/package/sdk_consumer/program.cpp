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
    // URLs need libmbus-websocket, which this program does not link.
    const auto url = mbus::connect("ws://127.0.0.1:1/mbws");
    if (url || url.error().text.find("mbus::websocket") == std::string::npos) return 5;
    return bus.error().code == mbus::errc::no_daemon ? 3 : 4;
}
