#include "unix_link.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <random>
#include <system_error>

namespace mbus::detail {
namespace {

constexpr std::size_t pieces_max = 64;  // of one sendmsg; far below IOV_MAX

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

unix_link::~unix_link() {
    close();
    if (timer_ >= 0) ::close(timer_);
    if (epoll_ >= 0) ::close(epoll_);
}

std::uint64_t unix_link::random() {
    std::random_device source;
    return (std::uint64_t{source()} << 32) | source();
}

bool unix_link::make_epoll() noexcept {
    if (epoll_ < 0) epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    return epoll_ >= 0;
}

result<void> unix_link::open() {
    close();
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (path_.empty() || path_.size() >= sizeof name.sun_path) {
        return {errc::bad_argument, "the socket path '" + path_ + "' must have 1 to " +
                                        std::to_string(sizeof name.sun_path - 1) + " octets"};
    }
    std::memcpy(name.sun_path, path_.data(), path_.size());
    if (!make_epoll()) {
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
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket_;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event) != 0) {
        const int code = errno;
        close();
        return {errc::limit, "can't watch the socket: " + std::generic_category().message(code)};
    }
    output_watched_ = false;
    return {};
}

void unix_link::close() noexcept {
    if (socket_ >= 0) ::close(socket_);  // leaves the epoll set by itself
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

io_outcome unix_link::write(std::span<const piece> what) {
    if (socket_ < 0) return {};
    std::array<iovec, pieces_max> parts;
    const auto count = std::min(what.size(), parts.size());
    for (std::size_t i = 0; i < count; ++i) parts[i] = {const_cast<char*>(what[i].data), what[i].size};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    for (;;) {
        const auto put = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
        if (put >= 0) return {static_cast<std::size_t>(put), false};
        if (errno == EINTR) continue;
        return {0, errno != EAGAIN && errno != EWOULDBLOCK};
    }
}

void unix_link::watch_output(bool wanted) {
    if (socket_ < 0 || wanted == output_watched_) return;
    epoll_event event{};
    event.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.fd = socket_;
    if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_, &event) == 0) output_watched_ = wanted;
}

void unix_link::wait(clock::time_point until) {
    if (!make_epoll()) return;
    int timeout = -1;
    if (until != never) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
        timeout = static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
    }
    std::array<epoll_event, 2> events;
    (void)::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
}

int unix_link::fd() {
    if (!make_epoll() || timer_ >= 0) return epoll_;
    timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer_ >= 0) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = timer_;
        (void)::epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event);
        arm(wanted_);
    }
    return epoll_;
}

// Moving the timer costs a system call, so it is moved earlier only; when it fires too early, the
// next call here sets it anew.
void unix_link::wake_at(clock::time_point when) {
    wanted_ = when;
    if (timer_ < 0) return;
    if (when < armed_ || armed_ <= clock::now()) arm(when);
}

void unix_link::arm(clock::time_point when) noexcept {
    itimerspec setting{};
    if (when != never) {
        // The monotonic clock is what steady_clock reads on Linux. Zero would switch the timer off.
        const auto since = std::max<long long>(1, std::chrono::nanoseconds(when.time_since_epoch()).count());
        setting.it_value.tv_sec = static_cast<time_t>(since / 1'000'000'000);
        setting.it_value.tv_nsec = static_cast<long>(since % 1'000'000'000);
    }
    if (::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &setting, nullptr) == 0) armed_ = when;
}

}  // namespace mbus::detail
