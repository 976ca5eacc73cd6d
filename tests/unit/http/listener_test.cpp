#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>

#include "http/http_listener.hpp"

using namespace mbusd;
using namespace std::chrono_literals;

namespace {

// A client with a plain socket; reads while the listener runs.
class client {
public:
    client(boost::asio::io_context& context, const std::string& where) : context_(context) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(where.substr(where.rfind(':') + 1))));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socket_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("no connection");
    }
    client& send(std::string_view text) {
        REQUIRE(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
        return *this;
    }
    // Runs the listener until `enough` holds for what has come, or the connection has ended.
    std::string until(const std::function<bool(const std::string&)>& enough) {
        const auto limit = std::chrono::steady_clock::now() + 20s;
        while (!enough(got_) && !ended_ && std::chrono::steady_clock::now() < limit) {
            context_.restart();
            context_.run_for(2ms);
            char buffer[4096];
            const auto octets = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
            if (octets > 0) got_.append(buffer, static_cast<std::size_t>(octets));
            if (octets == 0 || (octets < 0 && errno != EAGAIN)) ended_ = true;
        }
        return std::exchange(got_, {});
    }
    std::string until_text(std::string_view text) {
        return until([&](const std::string& got) { return got.find(text) != std::string::npos; });
    }
    std::string rest() {
        return until([](const std::string&) { return false; });
    }
    void end_output() { ::shutdown(socket_.get(), SHUT_WR); }
    void close() { socket_.reset(); }
    [[nodiscard]] bool ended() const { return ended_; }

private:
    boost::asio::io_context& context_;
    unique_fd socket_;
    std::string got_;
    bool ended_ = false;
};

struct lab {
    explicit lab(const http_options& options = {}) : web(context, paths, options, log) {
        paths.add("/echo", {.methods = {"GET", "POST"}, .body_octets_max = 1000}, [](const std::shared_ptr<exchange>& call) {
            call->respond(http_response::plain(200, call->request().method + ':' + call->request().body));
        });
        paths.add("/later", {}, [this](std::shared_ptr<exchange> call) {
            call->on_closed([this] { ++gone; });
            held = std::move(call);
        });
        paths.add("/dropped", {}, [](const auto&) {});
        paths.add("/throws", {}, [](const auto&) { throw std::runtime_error("oops"); });
        paths.add("/stream", {}, [this](const std::shared_ptr<exchange>& call) {
            held = call;
            call->on_closed([this] { ++gone; });
            stream = call->start_stream({.status = 200, .type = "text/event-stream"});
        });
        paths.add("/upgrade", {}, [this](const std::shared_ptr<exchange>& call) { taken = call->upgrade({{"Upgrade", "echo"}}); });
        auto socket = listen_tcp("127.0.0.1:0", false, "gateway.listen");
        where = socket.name;
        web.add(std::move(socket));
        web.start();
    }
    ~lab() { web.close(); }
    client connect() { return {context, where}; }
    void run_until(const std::function<bool()>& done) {
        for (int i = 0; i < 10000 && !done(); ++i) {
            context.restart();
            context.run_for(2ms);
        }
    }

    boost::asio::io_context context;
    logger log{level::error, [](level, std::string_view, const auto&) {}};
    path_table paths;
    http_listener web;
    std::string where;
    std::shared_ptr<exchange> held;
    std::shared_ptr<http_stream> stream;
    upgraded taken;
    int gone = 0;
};

std::string get(const std::string& path, const std::string& more = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("requests on one connection are answered one after the other, pipelined ones too") {
    lab at;
    auto one = at.connect();
    one.send(get("/echo"));
    CHECK(has(one.until_text("GET:"), "HTTP/1.1 200 OK\r\n"));
    std::string many;
    for (int i = 0; i < 100; ++i) {
        many += "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n" + std::to_string(100 + i);
    }
    one.send(many);
    const auto answers = one.until_text("POST:199");
    std::size_t last = 0;
    for (int i = 0; i < 100; ++i) {
        const auto found = answers.find("POST:" + std::to_string(100 + i));
        REQUIRE(found != std::string::npos);
        CHECK(found >= last);
        last = found;
    }
    CHECK(at.web.counters().requests == 101);
}

TEST_CASE("a flood of pipelined requests is answered in whole") {
    lab at;
    auto one = at.connect();
    std::string many;
    for (int i = 0; i < 3000; ++i) many += get("/echo");
    std::thread sender{[&] { one.send(many); }};
    const auto answers = one.until([](const std::string& got) {
        std::size_t count = 0;
        for (auto found = got.find("GET:"); found != std::string::npos; found = got.find("GET:", found + 1)) ++count;
        return count == 3000;
    });
    sender.join();
    CHECK(at.web.counters().requests == 3000);
    CHECK_FALSE(one.ended());
}

TEST_CASE("HEAD is answered like GET, without the body") {
    lab at;
    const auto answer = at.connect().send("HEAD /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").rest();
    CHECK(has(answer, "Content-Length: 4\r\n"));
    CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("a body that is too large is refused before it is sent, and the connection ends") {
    lab at;
    auto one = at.connect();
    const auto answer = one.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n").until_text("octets here");
    CHECK(has(answer, "HTTP/1.1 413 "));
    CHECK_FALSE(has(answer, "100 Continue"));
    CHECK(has(answer, "Connection: close"));
}

TEST_CASE("who expects 100 Continue gets it, then the answer") {
    lab at;
    auto one = at.connect();
    one.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    CHECK(has(one.until_text("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n"));
    CHECK(has(one.send("hi").until_text("POST:hi"), "HTTP/1.1 200 OK"));
}

TEST_CASE("malformed requests are answered with 400 and the connection ends") {
    lab at;
    auto one = at.connect();
    CHECK(has(one.send("rubbish\r\n\r\n").rest(), "HTTP/1.1 400 Bad Request"));
    CHECK(at.web.counters().malformed == 1);
}

TEST_CASE("HEAD with a malformed body is refused without a body") {
    lab at;
    const auto answer =
        at.connect().send("HEAD /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").rest();
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("an answer may come later; one whose client has gone is told of") {
    lab at;
    auto one = at.connect();
    one.send(get("/later"));
    at.run_until([&] { return at.held != nullptr; });
    at.held->respond(http_response::plain(200, "at last"));
    CHECK(has(one.until_text("at last"), "200 OK"));
    CHECK(at.gone == 0);

    auto two = at.connect();
    at.held.reset();
    two.send(get("/later"));
    at.run_until([&] { return at.held != nullptr; });
    two.close();
    at.held->respond(http_response::plain(200, std::string(4 * 1024 * 1024, 'x')));
    at.run_until([&] { return at.gone == 1; });
    CHECK(at.gone == 1);
    CHECK(at.web.connections() == 1);
}

TEST_CASE("who has ended its output still gets the answer") {
    lab at;
    auto one = at.connect();
    one.send(get("/later"));
    one.end_output();
    at.run_until([&] { return at.held != nullptr; });
    for (int i = 0; i < 5; ++i) {
        at.context.restart();
        at.context.run_for(2ms);
    }
    at.held->respond(http_response::plain(200, "at last"));
    CHECK(has(one.rest(), "at last"));
}

TEST_CASE("a handler that forgets its request or throws answers 500") {
    lab at;
    CHECK(has(at.connect().send(get("/dropped")).until_text("no answer"), "HTTP/1.1 500 "));
    CHECK(has(at.connect().send(get("/throws")).until_text("could not"), "HTTP/1.1 500 "));
}

TEST_CASE("a stream goes on until it is closed, then the next request has its turn") {
    lab at;
    auto one = at.connect();
    one.send(get("/stream"));
    CHECK(has(one.until_text("\r\n\r\n"), "Transfer-Encoding: chunked"));
    CHECK(at.stream->write("data: 1\n\n"));
    CHECK(has(one.until_text("data: 1"), "9\r\ndata: 1\n\n\r\n"));
    at.stream->close();
    CHECK(has(one.until_text("0\r\n\r\n"), "0\r\n\r\n"));
    CHECK(at.gone == 1);
    CHECK_FALSE(at.stream->write("more"));
    CHECK(has(one.send(get("/echo")).until_text("GET:"), "200 OK"));
}

TEST_CASE("a stream whose reader falls behind is closed and counted, one whose reader leaves is over") {
    lab at{{.limits = {.output_octets = 100'000}}};
    auto one = at.connect();
    one.send(get("/stream"));
    one.until_text("\r\n\r\n");
    const std::string event(10'000, 'x');
    for (int i = 0; i < 10'000 && at.stream->write(event); ++i) {
        at.context.restart();
        at.context.poll();
        CHECK(at.stream->waiting() <= 120'000);
    }
    CHECK(at.gone == 1);
    CHECK(at.web.counters().slow_readers == 1);

    auto two = at.connect();
    two.send(get("/stream"));
    two.until_text("\r\n\r\n");
    two.close();
    at.run_until([&] { return at.gone == 2; });
    CHECK(at.gone == 2);
}

TEST_CASE("an upgraded connection takes what follows along, and still counts") {
    lab at;
    auto one = at.connect();
    one.send(get("/upgrade", "Connection: Upgrade\r\nUpgrade: echo\r\n") + "first octets");
    CHECK(has(one.until_text("\r\n\r\n"), "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"));
    REQUIRE(at.taken.stream);
    CHECK(at.taken.leftover == "first octets");
    CHECK(at.web.connections() == 1);
    const octet_view hello{"hello", 5};
    CHECK(at.taken.stream->write({&hello, 1}).octets == 5);
    CHECK(one.until_text("hello") == "hello");
    at.taken.stream.reset();
    CHECK(at.web.connections() == 0);
}

TEST_CASE("connections beyond the limits are told so") {
    lab at{{.limits = {.connections = 3, .connections_per_address = 2}}};
    auto one = at.connect();
    auto two = at.connect();
    one.send(get("/echo")).until_text("GET:");
    two.send(get("/echo")).until_text("GET:");
    const auto refusal = at.connect().rest();
    CHECK(has(refusal, "HTTP/1.1 503 "));
    CHECK(has(refusal, "gateway.connections_per_address"));
    two.close();
    at.run_until([&] { return at.web.connections() == 1; });
    CHECK(has(at.connect().send(get("/echo")).until_text("GET:"), "200 OK"));
    CHECK(at.web.counters().refused_connections == 1);
}

TEST_CASE("too many failed credentials block the address for a while") {
    lab at;
    at.paths.add("/token", {}, [](const std::shared_ptr<exchange>& call) {
        if (const auto wait = call->blocked_for()) return call->too_many_failures(*wait);
        call->unauthorized("make a token: mbus client add NAME");
    });
    auto one = at.connect();
    for (unsigned i = 0; i < credential_limiter::failures_max; ++i) {
        REQUIRE(has(one.send(get("/token")).until_text("mbus client add NAME"), "HTTP/1.1 401 "));
    }
    const auto answer = one.send(get("/token")).until_text("try again");
    CHECK(has(answer, "HTTP/1.1 429 "));
    CHECK(has(answer, "Retry-After: "));
}

TEST_CASE("at the end answers under way are finished, idle connections closed at once") {
    lab at;
    auto idle = at.connect();
    auto busy = at.connect();
    idle.send(get("/echo")).until_text("GET:");
    busy.send(get("/later"));
    at.run_until([&] { return at.held != nullptr; });
    at.web.stop_accepting();
    CHECK(idle.rest().empty());
    at.held->respond(http_response::plain(200, "last words"));
    CHECK(has(busy.rest(), "last words"));
    busy.close();
    at.run_until([&] { return at.web.connections() == 0; });
    CHECK(at.web.connections() == 0);
}

TEST_CASE("an address that can't be listened on is told with the setting") {
    auto first = listen_tcp("127.0.0.1:0", false, "gateway.listen");
    CHECK_THROWS_AS(listen_tcp(first.name, false, "gateway.listen"), std::runtime_error);
    CHECK_THROWS_AS(listen_tcp("localhost", false, "gateway.listen"), std::runtime_error);
    CHECK_THROWS_AS(listen_tcp("192.0.2.1:8407", false, "gateway.listen"), std::runtime_error);
    CHECK(listen_tcp("[::1]:0", false, "gateway.listen").name.starts_with("[::1]:"));
}
