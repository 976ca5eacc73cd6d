// The way to the daemon over its Unix socket.
//
// Thread-safety: none.
#pragma once

#include <string>

#include "link.hpp"
#include "poll_set.hpp"

namespace mbus::detail {

class unix_link final : public link {
public:
    explicit unix_link(std::string path) : path_(std::move(path)) {}
    unix_link(const unix_link&) = delete;
    unix_link& operator=(const unix_link&) = delete;
    ~unix_link() override;

    [[nodiscard]] clock::time_point now() override { return now_ = clock::now(); }
    [[nodiscard]] std::uint64_t random() override;
    result<void> open() override;
    void close() noexcept override;
    io_outcome read(std::span<char> into) override;
    io_outcome write(std::string_view frames) override;
    void watch_output(bool wanted) override;
    void wait(clock::time_point until) override { polls_.wait(now_, until); }
    [[nodiscard]] int fd() override { return polls_.fd(); }
    void wake_at(clock::time_point when) override { polls_.wake_at(when); }

private:
    std::string path_;
    poll_set polls_;
    int socket_ = -1;
    bool output_watched_ = false;
    clock::time_point now_{};  // the last now()
};

}  // namespace mbus::detail
