#include "runtime/process.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace mbusd {
namespace {

constexpr int listen_fds_max = 64;  // we need one or two; more is a mistake in the unit

template <class Number>
bool parse_number(std::string_view text, Number& into) {
    const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), into);
    return failed == std::errc{} && stop == text.data() + text.size();
}

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view{value};
}

std::string next_name(std::string_view& names) {
    const auto end = std::min(names.find(':'), names.size());
    const std::string name{names.substr(0, end)};
    names.remove_prefix(std::min(end + 1, names.size()));
    return name.empty() ? "unknown" : name;
}

}  // namespace

std::vector<inherited_socket> inherited_sockets(std::string_view listen_pid, std::string_view listen_fds,
                                                std::string_view names, int first) {
    std::vector<inherited_socket> sockets;
    pid_t meant = 0;
    int count = 0;
    if (!parse_number(listen_pid, meant) || meant != ::getpid()) return sockets;
    if (!parse_number(listen_fds, count)) return sockets;
    for (int fd = first; fd < first + std::min(count, listen_fds_max); ++fd) {
        const int flags = ::fcntl(fd, F_GETFD);
        if (flags < 0) break;  // announced, but not there
        ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
        sockets.push_back({unique_fd{fd}, next_name(names)});
    }
    return sockets;
}

std::vector<inherited_socket> take_inherited_sockets() {
    auto sockets = inherited_sockets(environment("LISTEN_PID"), environment("LISTEN_FDS"),
                                     environment("LISTEN_FDNAMES"));
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
    ::unsetenv("LISTEN_FDNAMES");
    return sockets;
}

signal_watch::signal_watch(boost::asio::io_context& context, std::function<void(int)> stop,
                           std::function<void()> reload)
    : signals_(context, SIGTERM, SIGINT, SIGHUP), stop_(std::move(stop)), reload_(std::move(reload)) {
    std::signal(SIGPIPE, SIG_IGN);
    wait();
}

void signal_watch::close() {
    closed_ = true;
    boost::system::error_code ignored;
    signals_.cancel(ignored);
}

void signal_watch::wait() {
    signals_.async_wait([this](const boost::system::error_code& failure, int number) {
        if (failure || closed_) return;
        if (number == SIGHUP) {
            if (!stopping_) reload_();
        } else if (std::exchange(stopping_, true)) {
            ::_exit(128 + number);
        } else {
            stop_(number);
        }
        if (!closed_) wait();
    });
}

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    ssize_t got = 0;
    do {
        got = ::getrandom(&seed, sizeof seed, 0);
    } while (got < 0 && errno == EINTR);
    if (got != static_cast<ssize_t>(sizeof seed)) {
        throw std::system_error(errno, std::generic_category(), "no randomness from the kernel (getrandom)");
    }
    return seed;
}

std::uint64_t raise_open_files(std::uint64_t wanted) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    const rlim_t goal = std::min<rlim_t>(limit.rlim_max, wanted);
    if (goal > limit.rlim_cur) {
        const rlimit raised{goal, limit.rlim_max};
        if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit.rlim_cur = goal;
    }
    return limit.rlim_cur;
}

}  // namespace mbusd
