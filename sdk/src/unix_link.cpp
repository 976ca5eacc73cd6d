#include "unix_link.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <random>
#include <system_error>

namespace mbus::detail {
namespace {

std::string user_name() {
    const char* name = std::getenv("USER");
    return name != nullptr && *name != '\0' ? name : "$USER";
}

// What to do about a socket that cannot be connected to.
error connect_failure(int code, const std::string& path) {
    switch (code) {
    case ENOENT:
    case ECONNREFUSED:
    case ENOTDIR:
        return {errc::no_daemon, "no daemon at " + path + "; start it with: systemctl start mbusd"};
    case EACCES:
    case EPERM:
        return {errc::forbidden, "no permission to use " + path + "; run: sudo adduser " + user_name() +
                                     " mbus-users, then log in again"};
    case EAGAIN:
        return {errc::rate, "the daemon at " + path + " does not accept connections at the moment"};
    default:
        return {errc::no_daemon, "can't connect to " + path + ": " + std::generic_category().message(code)};
    }
}

}  // namespace

unix_link::~unix_link() { close(); }

std::uint64_t unix_link::random() {
    std::random_device source;
    return (std::uint64_t{source()} << 32) | source();
}

result<void> unix_link::open() {
    close();
    if (path_.find("://") != std::string::npos) {
        return {errc::bad_argument, "this program can't use the URL " + path_ +
                                        "; ws:// and wss:// need libmbus-websocket: include <mbus/websocket.hpp> "
                                        "and link mbus::websocket (pkg-config mbus-websocket)"};
    }
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (path_.empty() || path_.size() >= sizeof name.sun_path) {
        return {errc::bad_argument, "the socket path '" + path_ + "' must have 1 to " +
                                        std::to_string(sizeof name.sun_path - 1) + " octets"};
    }
    std::memcpy(name.sun_path, path_.data(), path_.size());
    if (!polls_.make()) {
        return {errc::limit, "can't make an epoll descriptor: " + std::generic_category().message(errno)};
    }
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) {
        return {errc::limit, "can't make a socket: " + std::generic_category().message(errno)};
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size() + 1);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&name), length) != 0) {
        auto failure = connect_failure(errno, path_);
        close();
        return failure;
    }
    if (!polls_.add(socket_, false)) {
        const int code = errno;
        close();
        return {errc::limit, "can't watch the socket: " + std::generic_category().message(code)};
    }
    output_watched_ = false;
    return {};
}

void unix_link::close() noexcept {
    if (socket_ >= 0) ::close(socket_);  // leaves polls_ by itself
    socket_ = -1;
    output_watched_ = false;
}

io_outcome unix_link::read(std::span<char> into) {
    if (socket_ < 0) return {};
    for (;;) {
        const auto got = ::recv(socket_, into.data(), into.size(), 0);
        if (got > 0) return {static_cast<std::size_t>(got), false};
        if (got == 0) return {0, true};
        if (errno == EINTR) continue;
        return {0, errno != EAGAIN && errno != EWOULDBLOCK};
    }
}

io_outcome unix_link::write(std::string_view frames) {
    if (socket_ < 0) return {};
    for (;;) {
        const auto put = ::send(socket_, frames.data(), frames.size(), MSG_NOSIGNAL);
        if (put >= 0) return {static_cast<std::size_t>(put), false};
        if (errno == EINTR) continue;
        return {0, errno != EAGAIN && errno != EWOULDBLOCK};
    }
}

void unix_link::watch_output(bool wanted) {
    if (socket_ < 0 || wanted == output_watched_) return;
    if (polls_.change(socket_, wanted)) output_watched_ = wanted;
}

}  // namespace mbus::detail
