// The link of a connection to a daemon of the in-process bus; time is the world's.
// Thread-safety: none.
#pragma once

#include <memory>
#include <string_view>

#include "link.hpp"
#include "pipe.hpp"

namespace mbus::testing::detail {

class host;
class world;

class memory_link final : public mbus::detail::link {
public:
    memory_link(std::shared_ptr<world> owner, host& at);
    memory_link(const memory_link&) = delete;
    memory_link& operator=(const memory_link&) = delete;
    ~memory_link() override;

    [[nodiscard]] clock::time_point now() override;
    [[nodiscard]] std::uint64_t random() override;
    result<void> open() override;
    void close() noexcept override;
    mbus::detail::io_outcome read(std::span<char> into) override;
    mbus::detail::io_outcome write(std::string_view frames) override;
    void watch_output(bool) override {}
    void wait(clock::time_point until) override;
    [[nodiscard]] int fd() override { return -1; }  // there is nothing to poll: advance() the bus
    void wake_at(clock::time_point) override {}

    [[nodiscard]] bool has_input() const noexcept;
    void give_up() noexcept;  // nothing will ever come: break the connection

    // Set by connect_over(): runs the connection, and tells when it wants to run.
    mbus::detail::driver driver;

private:
    std::shared_ptr<world> world_;
    host& host_;
    std::shared_ptr<pipe> pipe_;
};

}  // namespace mbus::testing::detail
