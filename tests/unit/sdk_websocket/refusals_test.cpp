// What a program is told when a daemon does not take it.
#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>

#include "unit/sdk_websocket/loopback_server.hpp"

using mbus::connection_state;
using mbus::errc;

namespace {

// Runs a connection until it is closed; why.
mbus::error reason_of(loopback_server& server, mbus::connect_options options) {
    options.reconnect.enabled = false;
    auto bus = mbus::connection::start(options);
    mbus::error why;
    bus.on_state([&](const mbus::connection_event& event) { why = event.reason; });
    server.run_until(bus, [&] { return bus.state() == connection_state::closed; });
    (void)bus.process();
    return bus.run_for(std::chrono::milliseconds{0}).error();
}

struct token_file {
    explicit token_file(std::string_view text) {
        char pattern[] = "/tmp/mbus-token-XXXXXX";
        ::close(::mkstemp(pattern));
        path = pattern;
        std::ofstream{path} << text;
    }
    ~token_file() { std::remove(path.c_str()); }
    std::string path;
};

}  // namespace

TEST_CASE("a token goes into the header, from the options or from a file") {
    loopback_server server;
    auto options = server.options();
    options.token = "from-the-options";
    auto one = mbus::connection::start(options);
    server.run_until(one, [&] { return !server.requests.empty(); });
    CHECK(server.requests[0].find("\r\nAuthorization: Bearer from-the-options\r\n") != std::string::npos);
    const token_file file{"from-the-file\n"};
    options.token_file = file.path;
    auto two = mbus::connection::start(options);
    server.run_until(two, [&] { return server.requests.size() > 1; });
    CHECK(server.requests[1].find("\r\nAuthorization: Bearer from-the-file\r\n") != std::string::npos);
}

TEST_CASE("a wrong token is the end, with the daemon's own words and without the token") {
    loopback_server server;
    server.refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 34\r\n\r\nunknown token; run: mbus client add";
    auto options = server.options();
    options.token = "very-secret";
    options.reconnect.enabled = true;
    auto bus = mbus::connection::start(options);
    server.run_until(bus, [&] { return bus.state() == connection_state::closed; });
    const auto why = bus.process().error();
    CHECK(why.code == errc::unauthorized);
    CHECK(why.text.find("unknown token; run: mbus client ad") != std::string::npos);
    CHECK(why.text.find("very-secret") == std::string::npos);
}

TEST_CASE("another refusal is no daemon, and is tried again") {
    loopback_server server;
    server.refusal = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    CHECK(reason_of(server, server.options()).code == errc::no_daemon);
    auto bus = mbus::connection::start(server.options());
    const auto before = server.requests.size();
    server.run_until(bus, [&] { return server.requests.size() >= before + 3; });
    CHECK(bus.state() == connection_state::connecting);
}

TEST_CASE("a token file that is not there, or holds something else, is named without its content") {
    loopback_server server;
    auto options = server.options();
    options.token_file = "/nonexistent/token";
    CHECK(reason_of(server, options).text.find("/nonexistent/token") != std::string::npos);
    const token_file two_words{"two words\n"};
    options.token_file = two_words.path;
    const auto why = reason_of(server, options);
    CHECK(why.code == errc::bad_argument);
    CHECK(why.text.find("two words") == std::string::npos);
}

TEST_CASE("nothing listens: the error names the setting") {
    auto options = loopback_server{}.options();  // its port is free again
    options.reconnect.enabled = false;
    const auto none = mbus::connect(options.socket, options);
    REQUIRE_FALSE(none);
    CHECK(none.error().code == errc::no_daemon);
    CHECK(none.error().text.find("gateway.listen") != std::string::npos);
}

TEST_CASE("a server that accepts and stays silent: connect() gives up after its limit") {
    loopback_server server;
    auto options = server.options();
    options.connect_limit = std::chrono::milliseconds{20};
    const auto none = mbus::connect(options.socket, options);
    REQUIRE_FALSE(none);
    CHECK(none.error().code == errc::timed_out);
}

TEST_CASE("a window of 0 and a URL that is none are the caller's fault") {
    loopback_server server;
    auto options = server.options();
    options.window = 0;
    CHECK(reason_of(server, options).code == errc::bad_argument);
    options = server.options();
    options.socket = "http://127.0.0.1/";
    CHECK(reason_of(server, options).code == errc::bad_argument);
}

TEST_CASE("octets that are no WebSocket frame break the connection, and it comes back") {
    loopback_server server;
    auto bus = mbus::connection::start(server.options());
    server.run_until(bus, [&] { return bus.state() == connection_state::connected; });
    mbus::error why;
    bool back = false;
    bus.on_state([&](const mbus::connection_event& event) {
        if (event.state == connection_state::connecting) why = event.reason;
        else back = event.resumed;
    });
    server.write_raw(std::string("\xF1\x00", 2));
    server.run_until(bus, [&] { return back; });
    CHECK(why.code == errc::bad_frame);
}
