#include "http/http_listener.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "http/tls.hpp"

namespace mbusd {
namespace {

// Clients accepted in one turn; others wait for the next one, so that a rush holds up nobody.
constexpr int accepts_per_turn = 64;
// Without free file descriptors accept() fails at once, again and again.
constexpr std::chrono::milliseconds accept_pause{200};

}  // namespace

http_listener::http_listener(boost::asio::io_context& context, const path_table& paths, const http_options& options,
                             logger& log)
    : context_(context),
      read_buffer_(new char[http_read_octets]),
      environment_{context, paths, log, {read_buffer_.get(), http_read_octets}, options.limits, site_rules{options.site}} {
    environment_.deadlines = std::make_unique<deadline_queue>(context, [this](std::uint64_t id) {
        const auto found = connections_.find(id);
        if (found == connections_.end()) return;
        const auto connection = found->second;
        connection->late();
    });
    environment_.ended = [this](std::uint64_t id) {
        // It is in the middle of a call: let go of it when that has ended.
        const auto found = connections_.find(id);
        if (found == connections_.end()) return;
        boost::asio::post(context_, [last = std::move(found->second)] {});
        connections_.erase(found);
    };
}

http_listener::~http_listener() { close(); }

void http_listener::add(listening_socket socket) { doors_.push_back(std::make_unique<door>(context_, std::move(socket))); }

void http_listener::start() {
    accepting_ = true;
    for (const auto& each : doors_) wait_for_client(*each);
}

void http_listener::stop_accepting() {
    accepting_ = false;
    for (const auto& each : doors_) {
        boost::system::error_code ignored;
        each->socket.close(ignored);
        each->retry.cancel();
    }
    const auto all = connections_;
    for (const auto& [id, each] : all) each->wind_up();
}

void http_listener::close() {
    stop_accepting();
    const auto all = connections_;
    for (const auto& [id, each] : all) each->close();
    environment_.deadlines->close();
}

void http_listener::apply(const http_options& options) {
    environment_.limits = options.limits;
    environment_.site = site_rules{options.site};
}

void http_listener::wait_for_client(door& at) {
    if (!accepting_) return;
    at.socket.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this, &at](const boost::system::error_code& fault) {
                             if (!fault && accepting_) accept_some(at);
                         });
}

void http_listener::accept_some(door& at) {
    for (int i = 0; i < accepts_per_turn; ++i) {
        if (accept_one(at)) continue;
        const int fault = errno;
        if (fault == EINTR || fault == ECONNABORTED) continue;
        if (fault == EAGAIN) break;
        environment_.log.limited(level::warning, "http-accept", "can't accept a client; raise LimitNOFILE or close programs",
                                 {{"error", std::generic_category().message(fault)}});
        at.retry.expires_after(accept_pause);
        at.retry.async_wait([this, &at](const boost::system::error_code& gone) {
            if (!gone) wait_for_client(at);
        });
        return;
    }
    wait_for_client(at);
}

bool http_listener::accept_one(door& at) {
    sockaddr_storage peer{};
    socklen_t octets = sizeof peer;
    unique_fd client{::accept4(at.socket.native_handle(), reinterpret_cast<sockaddr*>(&peer), &octets,
                               SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!client) return false;
    ++environment_.counters.accepted;
    const connection_origin from{client_address::of(peer), at.encrypted};
    const auto verdict = environment_.census.judge(environment_.limits, from.address, environment_.site.trusts(from));
    if (verdict == connection_census::verdict::welcome) {
        serve(std::move(client), from);
    } else {
        refuse(std::move(client), from, verdict);
    }
    return true;
}

void http_listener::serve(unique_fd client, const connection_origin& from) {
    if (from.address) {
        // Frames are written once per turn as it is; a peer that has vanished is found some day.
        const int on = 1;
        ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(client.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    auto stream = from.encrypted ? make_tls_server_stream(context_, std::move(client), certificate_->current())
                                 : make_plain_stream(context_, std::move(client));
    stream->hold(environment_.census.count(from.address));
    auto connection = std::make_shared<http_connection>(environment_, std::move(stream), from);
    connections_.emplace(connection->id(), connection);
    connection->start();
}

// One short answer into the empty socket buffer always fits; with TLS there is nothing to say yet.
void http_listener::refuse(unique_fd client, const connection_origin& from, connection_census::verdict why) {
    ++environment_.counters.refused_connections;
    const bool all = why == connection_census::verdict::too_many;
    const std::string_view setting = all ? "gateway.connections" : "gateway.connections_per_address";
    const auto limit = all ? environment_.limits.connections : environment_.limits.connections_per_address;
    environment_.log.limited(level::warning, setting, "a client was refused: too many connections",
                             {{"client", from.address ? from.address->text() : "unix"}, {"limit", std::to_string(limit)},
                              {"setting", std::string{setting}}});
    if (from.encrypted) return;
    const auto text = fmt::format("mbusd has as many connections{} as {} allows\n", all ? "" : " of your address", setting);
    const auto answer = fmt::format("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                    "Content-Length: {}\r\nRetry-After: 10\r\nConnection: close\r\n\r\n{}", text.size(), text);
    if (::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        environment_.log.debug("a refused client had gone already");
    }
    ::shutdown(client.get(), SHUT_WR);
    // A request that is left unread would reach the client as a reset, before the answer.
    while (::recv(client.get(), read_buffer_.get(), http_read_octets, MSG_DONTWAIT) > 0) {
    }
}

}  // namespace mbusd
