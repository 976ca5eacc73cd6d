// Connections on a real Unix socket, in one process and one thread.
#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "local/local_listener.hpp"
#include "local/socket_file.hpp"
#include "router_lab.hpp"

using namespace router_test;
using mbws::key;
using mbws::verb;

namespace {

struct local_lab {
    local_lab() {
        char name[] = "/tmp/mbusd-local-XXXXXX";
        folder = ::mkdtemp(name);
        path = (folder / "m.sock").string();
        listener = std::make_unique<mbusd::local_listener>(context, mbusd::listen_on({path, 0600, ""}), hub, turns, log);
        hub.start(network);
        listener->start();
        spin();
    }
    ~local_lab() {
        listener->close();
        spin();
        std::filesystem::remove_all(folder);
    }

    // Runs what is ready, until nothing is.
    void spin() {
        context.restart();
        while (context.poll() > 0) context.restart();
    }

    int connect_raw() {
        const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        sockaddr_un where{};
        where.sun_family = AF_UNIX;
        std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
        REQUIRE(::connect(socket, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
        spin();
        return socket;
    }

    void put(int socket, std::string_view octets) {
        REQUIRE(::send(socket, octets.data(), octets.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size()));
        spin();
    }

    // What there is to read; `ended` tells whether the daemon has closed.
    std::string get(int socket, bool& ended) {
        spin();
        std::string out;
        char buffer[65536];
        for (;;) {
            const auto got = ::read(socket, buffer, sizeof buffer);
            ended = got == 0 || (got < 0 && errno == ECONNRESET);
            if (got <= 0) return out;
            out.append(buffer, static_cast<std::size_t>(got));
        }
    }

    boost::asio::io_context context;
    std::filesystem::path folder;
    std::string path;
    mbusd::config_reading configuration;
    mbusd::logger log{mbusd::level::error, [](auto, auto, const auto&) {}};
    mbusd::turn_queue turns{[this](std::function<void()> run) { boost::asio::post(context, std::move(run)); }};
    mbusd::router hub{configuration, "0123456789abcdef", turns, log};
    test_bus network{hub};
    std::unique_ptr<mbusd::local_listener> listener;
};

std::string connect_frame() {
    std::string out;
    REQUIRE(mbws::frame_writer{out, verb::connect}.set(key::version, std::uint64_t{1}).finish());
    return out;
}

std::string ping_frame(std::string_view body) {
    std::string out;
    REQUIRE(mbws::frame_writer{out, verb::ping}.finish(body));
    return out;
}

}  // namespace

TEST_CASE("frames are answered, however the stream is cut") {
    local_lab lab;
    const int socket = lab.connect_raw();
    bool ended = false;
    const auto octets = connect_frame() + ping_frame("abc");
    for (const char octet : octets) lab.put(socket, {&octet, 1});
    const auto answer = lab.get(socket, ended);
    CHECK_FALSE(ended);
    CHECK(answer.ends_with(std::string_view{"abc"}));
    ::close(socket);
    lab.spin();
    CHECK(lab.listener->connections() == 0);
    CHECK(lab.hub.sessions() == 0);
}

TEST_CASE("a malformed frame gets error bad-frame and ends its own connection only") {
    local_lab lab;
    const int good = lab.connect_raw();
    const int bad = lab.connect_raw();
    bool ended = false;
    lab.put(good, connect_frame());
    lab.get(good, ended);
    lab.put(bad, connect_frame());
    lab.get(bad, ended);
    std::string wrong = ping_frame("x");
    wrong[3] = 15;  // H below 16
    lab.put(bad, wrong);
    const auto last_words = lab.get(bad, ended);
    CHECK(ended);
    mbws::frame_view frame;
    REQUIRE(mbws::decode_frame(last_words, frame) == nullptr);
    CHECK(frame.verb == verb::error);
    CHECK(frame.text(key::code) == "bad-frame");
    CHECK(lab.listener->connections() == 1);
    lab.put(good, ping_frame("still here"));
    CHECK(lab.get(good, ended).ends_with(std::string_view{"still here"}));
    CHECK_FALSE(ended);
    CHECK(lab.hub.counters().malformed_connections == 1);
    ::close(good);
    ::close(bad);
}

TEST_CASE("closing all connections at once leaves nothing behind") {
    local_lab lab;
    const int first = lab.connect_raw();
    const int second = lab.connect_raw();
    lab.put(first, connect_frame());
    lab.listener->close();
    lab.spin();
    CHECK(lab.listener->connections() == 0);
    CHECK(lab.hub.sessions() == 0);
    CHECK(lab.hub.connections().size() == 0);
    ::close(first);
    ::close(second);
}
