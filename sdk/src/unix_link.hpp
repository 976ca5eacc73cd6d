// The way to the daemon over its Unix socket.
//
// One epoll descriptor holds the socket and, once a foreign loop asks for fd(), a timer; so a loop
// needs to know one descriptor only, and it stays the same over reconnects.
//
// Thread-safety: none.
#pragma once

#include <string>

#include "link.hpp"

namespace mbus::detail {

class unix_link final : public link {
public:
    explicit unix_link(std::string path) : path_(std::move(path)) {}
    unix_link(const unix_link&) = delete;
    unix_link& operator=(const unix_link&) = delete;
    ~unix_link() override;

    [[nodiscard]] clock::time_point now() override { return clock::now(); }
    [[nodiscard]] std::uint64_t random() override;
    result<void> open() override;
    void close() noexcept override;
    io_outcome read(std::span<char> into) override;
    io_outcome write(std::span<const piece> what) override;
    void watch_output(bool wanted) override;
    void wait(clock::time_point until) override;
    [[nodiscard]] int fd() override;
    void wake_at(clock::time_point when) override;

private:
    bool make_epoll() noexcept;
    void arm(clock::time_point when) noexcept;

    std::string path_;
    int socket_ = -1;
    int epoll_ = -1;
    int timer_ = -1;             // made by the first fd()
    bool output_watched_ = false;
    clock::time_point armed_ = never;   // what the timer is set to
    clock::time_point wanted_ = never;  // what wake_at() asked for
};

}  // namespace mbus::detail
