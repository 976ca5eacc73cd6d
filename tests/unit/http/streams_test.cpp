#include <doctest/doctest.h>

#include <sys/socket.h>

#include <array>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>

#include <boost/asio/io_context.hpp>

#include "http/certificate.hpp"
#include "http/tls.hpp"
#include "runtime/log.hpp"
#include "runtime/unique_fd.hpp"
#include "test_certificate.hpp"

using namespace mbusd;
using namespace std::chrono_literals;

namespace {

struct socket_pair {
    socket_pair() {
        std::array<int, 2> made{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, made.data()) != 0) throw std::runtime_error("no sockets");
        left.reset(made[0]);
        right.reset(made[1]);
        std::signal(SIGPIPE, SIG_IGN);  // as the daemon does
    }
    unique_fd left;
    unique_fd right;
};

io_outcome write(byte_stream& to, std::string_view text) {
    const octet_view piece{text.data(), text.size()};
    return to.write({&piece, 1});
}

// Writes all of `text` at one end and reads it at the other; nothing when one of them fails or nothing happens.
std::optional<std::string> carry(boost::asio::io_context& context, byte_stream& from, byte_stream& to, std::string_view text) {
    std::string got;
    bool broken = false;
    std::function<void()> put = [&] {
        while (!text.empty() && !broken) {
            const auto done = write(from, text);
            if (done.what == io_state::again) return from.wait_writable(put);
            broken = done.what != io_state::done;
            text.remove_prefix(done.octets);
        }
        // What the other side of a handshake has to say comes in through read().
    };
    const auto wanted = text.size();
    std::function<void()> take = [&] {
        std::array<char, 5000> buffer;
        const auto done = to.read(buffer);
        if (done.what == io_state::ended || done.what == io_state::failed) broken = true;
        got.append(buffer.data(), done.octets);
        if (got.size() < wanted && !broken) to.wait_readable(take);
    };
    from.wait_writable(put);
    to.wait_readable(take);
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (got.size() < wanted && !broken && std::chrono::steady_clock::now() < until) {
        context.restart();
        context.run_one_for(100ms);
    }
    if (broken || got.size() < wanted) return std::nullopt;
    return got;
}

struct tls_pair {
    tls_pair(const tls_context& server_rules, const tls_context& client_rules, std::string_view host)
        : server(make_tls_server_stream(context, std::move(sockets.left), server_rules)),
          client(make_tls_client_stream(context, std::move(sockets.right), client_rules, host)) {}
    boost::asio::io_context context;
    socket_pair sockets;
    std::unique_ptr<byte_stream> server;
    std::unique_ptr<byte_stream> client;
};

const std::string long_text = [] {
    std::string out;
    for (int i = 0; out.size() < 1'000'000; ++i) out += std::to_string(i) + ' ';
    return out;
}();

}  // namespace

TEST_CASE("a plain stream carries octets both ways and tells the end") {
    boost::asio::io_context context;
    socket_pair sockets;
    const auto one = make_plain_stream(context, std::move(sockets.left));
    const auto other = make_plain_stream(context, std::move(sockets.right));
    CHECK(carry(context, *one, *other, long_text) == long_text);
    CHECK(carry(context, *other, *one, "back") == "back");
    std::array<char, 10> buffer{};
    CHECK(one->read(buffer).what == io_state::again);
    other->finish_output();
    CHECK(one->read(buffer).what == io_state::ended);
    CHECK(write(*one, "still").what == io_state::done);
    one->close();
    CHECK(other->read(buffer).octets == 5);
}

TEST_CASE("a stream that was closed calls nobody back") {
    boost::asio::io_context context;
    socket_pair sockets;
    auto one = make_plain_stream(context, std::move(sockets.left));
    bool called = false;
    one->wait_readable([&] { called = true; });
    one->wait_writable([&] { called = true; });
    one->close();
    one.reset();
    context.run_for(1s);
    CHECK_FALSE(called);
}

TEST_CASE("a TLS stream carries octets both ways, the handshake within") {
    const test_certificate files;
    const auto server = tls_context::server(files.certificate(), files.key());
    const auto client = tls_context::client(files.certificate());
    for (const auto* host : {"localhost", "127.0.0.1"}) {
        tls_pair pair{server, client, host};
        // The server waits for input; so the handshake goes on at both ends.
        CHECK(carry(pair.context, *pair.client, *pair.server, long_text) == long_text);
        CHECK(carry(pair.context, *pair.server, *pair.client, long_text) == long_text);
        pair.client->close();
        std::array<char, 10> buffer{};
        CHECK(pair.server->read(buffer).what == io_state::ended);
    }
}

TEST_CASE("decrypted octets that were left are announced, though the socket is silent") {
    const test_certificate files;
    tls_pair pair{tls_context::server(files.certificate(), files.key()), tls_context::client(files.certificate()), "localhost"};
    REQUIRE(carry(pair.context, *pair.client, *pair.server, "x") == "x");
    REQUIRE(write(*pair.client, "hello").octets == 5);
    std::array<char, 2> small{};
    std::string got;
    std::function<void()> take = [&] {
        const auto done = pair.server->read(small);
        got.append(small.data(), done.octets);
        if (got.size() < 5) pair.server->wait_readable(take);
    };
    pair.server->wait_readable(take);
    pair.context.restart();
    pair.context.run_for(10s);
    CHECK(got == "hello");
}

TEST_CASE("a client refuses a certificate of an unknown authority or for another name") {
    const test_certificate files;
    const test_certificate others;
    const auto server = tls_context::server(files.certificate(), files.key());
    const auto failure = [&](const tls_context& rules, std::string_view host) {
        tls_pair pair{server, rules, host};
        CHECK_FALSE(carry(pair.context, *pair.client, *pair.server, "secret"));
        return pair.client->failure();
    };
    CHECK(failure(tls_context::client(others.certificate()), "localhost").find("refused") != std::string::npos);
    CHECK(failure(tls_context::client(files.certificate()), "other.example").find("refused") != std::string::npos);
}

TEST_CASE("what is no TLS fails with a reason") {
    const test_certificate files;
    boost::asio::io_context context;
    socket_pair sockets;
    const auto server = make_tls_server_stream(context, std::move(sockets.left), tls_context::server(files.certificate(), files.key()));
    const auto client = make_plain_stream(context, std::move(sockets.right));
    REQUIRE(write(*client, "GET / HTTP/1.1\r\n\r\n").what == io_state::done);
    std::array<char, 10> buffer{};
    CHECK(server->read(buffer).what == io_state::failed);
    CHECK(server->failure() == "TLS: http request");
}

TEST_CASE("certificates that can't work are refused with the setting") {
    const test_certificate good;
    const test_certificate other;
    const test_certificate expired{-1};
    const auto refusal = [](const std::string& certificate, const std::string& key) -> std::string {
        try {
            (void)tls_context::server(certificate, key);
        } catch (const std::runtime_error& fault) {
            return fault.what();
        }
        return {};
    };
    CHECK(refusal("", good.key()).starts_with("gateway.tls_certificate must name a file"));
    CHECK(refusal("/nowhere/cert.pem", good.key()).find("No such file") != std::string::npos);
    CHECK(refusal(good.certificate(), other.key()).starts_with("gateway.tls_key: "));
    CHECK(refusal(good.key(), good.key()).starts_with("gateway.tls_certificate: "));
    CHECK(refusal(expired.certificate(), expired.key()).find("renew it") != std::string::npos);
    CHECK(refusal(good.certificate(), good.key()).empty());
}

TEST_CASE("a certificate is renewed when its file changes, and the old one stays while the new is no good") {
    test_certificate files;
    boost::asio::io_context context;
    std::vector<std::string> lines;
    logger log{level::info, [&](level, std::string_view text, const auto&) { lines.emplace_back(text); }};
    certificate mine{context, files.certificate(), files.key(), log};
    const auto first = mine.current().fingerprint();
    const auto until = [&](auto condition) {
        const auto limit = std::chrono::steady_clock::now() + 20s;
        while (!condition() && std::chrono::steady_clock::now() < limit) context.run_one_for(100ms);
        return condition();
    };
    files.renew(-1);
    REQUIRE(until([&] { return !lines.empty(); }));
    CHECK(lines.back() == "the new certificate is not used, the old one stays");
    CHECK(mine.current().fingerprint() == first);
    files.renew();
    CHECK(until([&] { return mine.current().fingerprint() != first; }));
    CHECK(lines.back() == "the certificate was renewed");
    mine.close();
}
