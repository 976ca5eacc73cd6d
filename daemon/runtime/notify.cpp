#include "runtime/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fmt/format.h>

#include "runtime/unique_fd.hpp"

namespace mbusd {
namespace {

// What the status line may hold: one line, no field of its own.
std::string one_line(std::string_view text) {
    std::string line{text};
    for (char& c : line) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    return line;
}

std::optional<std::uint64_t> number_from(const char* name) {
    const char* text = std::getenv(name);
    if (text == nullptr) return std::nullopt;
    std::uint64_t value = 0;
    const char* end = text + std::strlen(text);
    const auto [stop, failed] = std::from_chars(text, end, value);
    if (failed != std::errc{} || stop != end) return std::nullopt;
    return value;
}

}  // namespace

service_manager::service_manager() {
    if (const char* path = std::getenv("NOTIFY_SOCKET")) path_ = path;
    ::unsetenv("NOTIFY_SOCKET");
}

bool service_manager::ready(std::string_view status) const {
    return tell(fmt::format("READY=1\nSTATUS={}", one_line(status)));
}

bool service_manager::reloading() const {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}

bool service_manager::stopping() const { return tell("STOPPING=1"); }

bool service_manager::status(std::string_view text) const { return tell("STATUS=" + one_line(text)); }

bool service_manager::alive() const { return tell("WATCHDOG=1"); }

bool service_manager::tell(std::string_view state) const {
    sockaddr_un name{};
    if (path_.empty() || path_.size() >= sizeof name.sun_path) return false;
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path_.data(), path_.size());
    if (name.sun_path[0] == '@') name.sun_path[0] = '\0';  // abstract socket
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    const unique_fd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    return socket && ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&name), length) >= 0;
}

std::optional<std::chrono::microseconds> service_manager::watchdog_interval() {
    const auto interval = number_from("WATCHDOG_USEC");
    const auto process = number_from("WATCHDOG_PID");
    if (!interval || *interval < 2) return std::nullopt;
    if (process && *process != static_cast<std::uint64_t>(::getpid())) return std::nullopt;
    return std::chrono::microseconds{*interval / 2};
}

watchdog::watchdog(boost::asio::io_context& context, const service_manager& manager)
    : manager_(manager), timer_(context), interval_(service_manager::watchdog_interval()) {
    if (manager_.present() && interval_) wait();
}

void watchdog::stop() { timer_.cancel(); }

void watchdog::wait() {
    timer_.expires_after(*interval_);
    timer_.async_wait([this](const boost::system::error_code& failure) {
        if (failure) return;
        manager_.alive();
        wait();
    });
}

}  // namespace mbusd
