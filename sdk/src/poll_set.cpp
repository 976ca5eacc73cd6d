#include "poll_set.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

namespace mbus::detail {

poll_set::~poll_set() {
    if (timer_ >= 0) ::close(timer_);
    if (epoll_ >= 0) ::close(epoll_);
}

bool poll_set::make() noexcept {
    if (epoll_ < 0) epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    return epoll_ >= 0;
}

bool poll_set::control(int operation, int socket, bool output) noexcept {
    epoll_event event{};
    event.events = output ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.fd = socket;
    return ::epoll_ctl(epoll_, operation, socket, &event) == 0;
}

bool poll_set::add(int socket, bool output) noexcept { return control(EPOLL_CTL_ADD, socket, output); }
bool poll_set::change(int socket, bool output) noexcept { return control(EPOLL_CTL_MOD, socket, output); }

void poll_set::wait(clock::time_point now, clock::time_point until) {
    if (!make()) return;
    int timeout = -1;
    if (until != never) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
        timeout = static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
    }
    std::array<epoll_event, 2> events;
    (void)::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
}

int poll_set::fd() {
    if (!make() || timer_ >= 0) return epoll_;
    timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer_ >= 0) {
        (void)add(timer_, false);
        arm(wanted_);
    }
    return epoll_;
}

// Moving the timer costs a system call, so it is moved earlier only; when it fires too early, the
// next call here sets it anew.
void poll_set::wake_at(clock::time_point when) {
    wanted_ = when;
    if (timer_ < 0) return;
    if (when < armed_ || armed_ <= clock::now()) arm(when);
}

void poll_set::arm(clock::time_point when) noexcept {
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
