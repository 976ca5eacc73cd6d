#include "unix_link.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <random>
#include <system_error>

namespace mbus::detail {
namespace {

// Shorter sleeps are timed by poll_set; longer ones are cut, which costs a wake-up in many minutes.
constexpr std::chrono::milliseconds shortest_sleep{16};
constexpr std::chrono::milliseconds longest_sleep{std::chrono::hours{1}};

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
    // From here on calls say themselves when they don't want to wait.
    if (::fcntl(socket_, F_SETFL, 0) != 0 || !polls_.add(socket_, false)) {
        const int code = errno;
        close();
        return {errc::limit, "can't watch the socket: " + std::generic_category().message(code)};
    }
    output_watched_ = false;
    sleep_limit_ = std::chrono::milliseconds{0};
    return {};
}

void unix_link::close() noexcept {
    if (socket_ >= 0) ::close(socket_);  // leaves polls_ by itself
    socket_ = -1;
    output_watched_ = false;
}

io_outcome unix_link::receive(std::span<char> into, int flags) {
    const auto got = ::recv(socket_, into.data(), into.size(), flags);
    if (got > 0) return {static_cast<std::size_t>(got), false};
    return {0, got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)};
}

io_outcome unix_link::read(std::span<char> into) {
    if (socket_ < 0) return {};
    return receive(into, MSG_DONTWAIT);
}

// Input is all that may come: so the read itself sleeps, and nobody else has to be asked first.
io_outcome unix_link::wait_and_read(clock::time_point until, std::span<char> into) {
    if (socket_ < 0 || output_watched_ || !limit_sleep(until)) return link::wait_and_read(until, into);
    errno = 0;
    const auto got = receive(into, 0);
    const bool limit_over = got.octets == 0 && !got.broken && errno != EINTR;
    return limit_over ? link::wait_and_read(until, into) : got;
}

// A sleep of at most half the time to `until`, so that the limit, which takes a call to set, serves for many
// sleeps; who wakes up without input waits for the rest precisely. False: there is no such limit.
bool unix_link::limit_sleep(clock::time_point until) {
    std::chrono::milliseconds limit{0};
    if (until != never) {
        const auto left = std::chrono::floor<std::chrono::milliseconds>(until - clock::now());
        if (left < shortest_sleep) return false;
        limit = std::chrono::milliseconds{std::bit_floor(static_cast<std::uint64_t>(std::min(left, longest_sleep).count())) / 2};
    }
    if (limit == sleep_limit_) return true;
    const timeval setting{.tv_sec = limit.count() / 1000, .tv_usec = limit.count() % 1000 * 1000};
    if (::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &setting, sizeof setting) != 0) return false;
    sleep_limit_ = limit;
    return true;
}

io_outcome unix_link::write(std::string_view frames) {
    if (socket_ < 0) return {};
    for (;;) {
        const auto put = ::send(socket_, frames.data(), frames.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
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
