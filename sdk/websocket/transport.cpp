#include "transport.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace mbus::detail {
namespace {

std::string words(int code) { return std::generic_category().message(code); }

// What to do about a host that does not take the connection.
error connect_failure(int code, const websocket_url& where) {
    const auto place = where.host_and_port();
    if (code == ECONNREFUSED) {
        return {errc::no_daemon, "nothing listens at " + place +
                                     "; does gateway.listen (or gateway.tls_listen) in its mbusd.toml have this address?"};
    }
    return {errc::no_daemon, "can't connect to " + place + ": " + words(code)};
}

}  // namespace

result<void> transport::open(const websocket_url& where, const std::string& ca_file, clock::time_point now) {
    close();
    failure_ = {errc::disconnected, "the daemon closed the connection"};
    if (!polls_.make()) return {errc::limit, "can't make an epoll descriptor: " + words(errno)};
    auto found = look_up(where);
    if (!found) return std::move(found.error());
    where_ = where;
    ca_file_ = ca_file;
    addresses_ = std::move(*found);
    next_address_ = 0;
    if (connect_next(now) == status::failed) return failure_;
    return {};
}

transport::status transport::fail(error why) {
    close();
    failure_ = std::move(why);
    return status::failed;
}

transport::status transport::connect_next(clock::time_point now) {
    const auto& address = addresses_[next_address_++];
    address_deadline_ = next_address_ < addresses_.size() ? now + address_limit : never;
    socket_ = ::socket(address.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (socket_ < 0) return give_up_address(errno, now);
    const int on = 1;
    (void)::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // turns are gathered already
    const bool done = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address.address), address.octets) == 0;
    if (!done && errno != EINPROGRESS) return give_up_address(errno, now);
    if (!polls_.add(socket_, true)) return fail({errc::limit, "can't watch a socket: " + words(errno)});
    output_watched_ = true;
    return status::connecting;
}

transport::status transport::give_up_address(int code, clock::time_point now) {
    close_socket();
    if (next_address_ < addresses_.size()) return connect_next(now);
    return fail(connect_failure(code, where_));
}

transport::status transport::advance(clock::time_point now) {
    if (connected_) return status::connected;
    if (socket_ < 0) return status::failed;
    if (!tcp_connected_) {
        if (const auto outcome = finish_tcp(now); outcome != status::connected) return outcome;
    }
    return finish_tls();
}

transport::status transport::finish_tcp(clock::time_point now) {
    pollfd ready{.fd = socket_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, 0) <= 0) {
        return now >= address_deadline_ ? give_up_address(ETIMEDOUT, now) : status::connecting;
    }
    int code = 0;
    socklen_t octets = sizeof code;
    (void)::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &code, &octets);
    if (code != 0) return give_up_address(code, now);
    address_deadline_ = never;
    tcp_connected_ = true;
    watch(false);
    if (!where_.encrypted) return status::connected;
    auto made = tls_client::make(socket_, where_.host, ca_file_);
    if (!made) return fail(std::move(made.error()));
    tls_ = std::move(*made);
    return status::connected;
}

transport::status transport::finish_tls() {
    const auto outcome = tls_ ? tls_->handshake() : tls_client::status::done;
    switch (outcome) {
    case tls_client::status::done:
        connected_ = true;
        watch(false);
        return status::connected;
    case tls_client::status::wants_input: watch(false); return status::connecting;
    case tls_client::status::wants_output: watch(true); return status::connecting;
    case tls_client::status::failed: break;
    }
    if (!tls_->failure().empty()) return fail({errc::forbidden, tls_->failure()});
    return fail({errc::no_daemon, where_.host_and_port() + " ended the connection during the TLS handshake; "
                                                           "does it want ws:// instead of wss://?"});
}

io_outcome transport::read(std::span<char> into) {
    if (!connected_) return {};
    if (tls_) {
        const auto got = tls_->read(into);
        if (got.broken && !tls_->failure().empty()) failure_ = {errc::disconnected, tls_->failure()};
        return got;
    }
    for (;;) {
        const auto got = ::recv(socket_, into.data(), into.size(), 0);
        if (got > 0) return {static_cast<std::size_t>(got), false};
        if (got == 0) return {0, true};
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
        failure_ = {errc::disconnected, "the connection to " + where_.host_and_port() + " broke: " + words(errno)};
        return {0, true};
    }
}

io_outcome transport::write(std::string_view octets) {
    if (!connected_) return {};
    if (tls_) return tls_->write(octets);
    for (;;) {
        const auto put = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
        if (put >= 0) return {static_cast<std::size_t>(put), false};
        if (errno == EINTR) continue;
        return {0, errno != EAGAIN && errno != EWOULDBLOCK};
    }
}

void transport::watch_output(bool wanted) {
    if (!connected_) return;  // connecting has its own mind
    const bool waits_for_input = tls_ && tls_->write_wants_input();
    watch((wanted && !waits_for_input) || (tls_ && tls_->read_wants_output()));
}

void transport::watch(bool output) {
    if (socket_ < 0 || output == output_watched_) return;
    if (polls_.change(socket_, output)) output_watched_ = output;
}

void transport::close() noexcept {
    if (tls_ && connected_) tls_->end();
    close_socket();
    address_deadline_ = never;
}

void transport::close_socket() noexcept {
    tls_.reset();
    if (socket_ >= 0) ::close(socket_);  // leaves polls_ by itself
    socket_ = -1;
    tcp_connected_ = connected_ = output_watched_ = false;
}

}  // namespace mbus::detail
