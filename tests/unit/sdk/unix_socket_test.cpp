// Finding the daemon's socket, and what is said when it is not there.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "fixture.hpp"

using mbus::errc;

namespace {

// A directory that goes with the test.
struct directory {
    directory() {
        char pattern[] = "/tmp/mbus-sdk-test-XXXXXX";
        path = ::mkdtemp(pattern);
    }
    ~directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::string path;
};

// Sets a variable of the environment for the life of a test.
struct variable {
    variable(const char* which, const std::string& value) : name(which) {
        if (const char* old = std::getenv(which)) before = old;
        ::setenv(which, value.c_str(), 1);
    }
    ~variable() {
        if (before) ::setenv(name, before->c_str(), 1);
        else ::unsetenv(name);
    }
    const char* name;
    std::optional<std::string> before;
};

int listen_at(const std::string& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    REQUIRE(::listen(fd, 4) == 0);
    return fd;
}

}  // namespace

TEST_CASE("the socket is $MBUS_SOCKET, else the user's own daemon, else the system's") {
    const directory place;
    const variable runtime{"XDG_RUNTIME_DIR", place.path};
    const variable named{"MBUS_SOCKET", ""};
    CHECK(mbus::default_socket() == "/run/mbusd/mbusd.sock");
    REQUIRE(::mkdir((place.path + "/mbusd").c_str(), 0700) == 0);
    ::close(listen_at(place.path + "/mbusd/mbusd.sock"));
    CHECK(mbus::default_socket() == place.path + "/mbusd/mbusd.sock");
    const variable named_again{"MBUS_SOCKET", "/somewhere/else"};
    CHECK(mbus::default_socket() == "/somewhere/else");
}

TEST_CASE("without a daemon the error says how to start one") {
    const auto none = mbus::connection::connect({.socket = "/nonexistent/mbusd.sock"});
    REQUIRE_FALSE(none);
    CHECK(none.error().code == errc::no_daemon);
    CHECK(none.error().text == "no daemon at /nonexistent/mbusd.sock; start it with: systemctl start mbusd");
}

TEST_CASE("a socket that nobody listens on any more is no daemon either") {
    const directory place;
    ::close(listen_at(place.path + "/left-over"));
    CHECK(mbus::connection::connect({.socket = place.path + "/left-over"}).error().code == errc::no_daemon);
}

TEST_CASE("a path that no socket can have is refused") {
    CHECK(mbus::connection::connect({.socket = std::string(200, 'x')}).error().code == errc::bad_argument);
}

TEST_CASE("a daemon that accepts and says nothing is given up after connect_limit") {
    const directory place;
    const int listener = listen_at(place.path + "/silent");
    const auto none = mbus::connection::connect({.socket = place.path + "/silent", .connect_limit = 30ms});
    REQUIRE_FALSE(none);
    CHECK(none.error().code == errc::timed_out);
    ::close(listener);
}

TEST_CASE("what is no daemon is a fault, not an endless wait") {
    const directory place;
    const int listener = listen_at(place.path + "/other");
    auto connection = mbus::connection::start({.socket = place.path + "/other", .reconnect = {.enabled = false}});
    const int server = ::accept(listener, nullptr, nullptr);
    REQUIRE(::send(server, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL) == 28);
    CHECK_FALSE(connection.ready().wait());
    CHECK(connection.state() == mbus::connection_state::closed);
    ::close(server);
    ::close(listener);
}

TEST_CASE("one descriptor for a foreign loop, the same over reconnects, readable when something is due") {
    const directory place;
    auto connection = mbus::connection::start({.socket = place.path + "/later", .reconnect = {.first = 1ms, .most = 1ms}});
    const int fd = connection.fd();
    REQUIRE(fd >= 0);
    const int listener = listen_at(place.path + "/later");
    int server = -1;
    // The timer inside makes the descriptor readable for each new attempt.
    while (server < 0) {
        pollfd waiting[] = {{fd, POLLIN, 0}, {listener, POLLIN, 0}};
        REQUIRE(::poll(waiting, 2, 10'000) > 0);
        if (waiting[0].revents != 0) REQUIRE(connection.process());
        if (waiting[1].revents != 0) server = ::accept(listener, nullptr, nullptr);
    }
    CHECK(connection.fd() == fd);
    CHECK(connection.interest() == mbus::io_interest::read);
    char verb = 0;
    REQUIRE(::recv(server, &verb, 1, 0) == 1);
    CHECK(verb == 1);  // connect
    ::close(server);
    ::close(listener);
}
