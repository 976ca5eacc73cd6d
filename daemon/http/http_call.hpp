// The exchange that a handler holds: one request of one connection.
//
// Destroyed without an answer, it answers 500, so that no client waits for ever.
#pragma once

#include <memory>
#include <vector>

#include "http/exchange.hpp"
#include "http/http_connection.hpp"

namespace mbusd {

class http_call final : public exchange, public http_stream, public std::enable_shared_from_this<http_call> {
public:
    http_call(http_environment& environment, std::shared_ptr<http_connection> connection, admission& in);
    ~http_call() override;

    // The connection has gone, or the answer is written.
    void over(bool completed);

    // exchange
    [[nodiscard]] const http_request& request() const noexcept override { return request_; }
    void respond(http_response answer) override;
    std::shared_ptr<http_stream> start_stream(http_response answer) override;
    upgraded upgrade(const std::vector<header_field>& headers) override;
    void on_closed(std::function<void()> gone) override;
    [[nodiscard]] bool answered() const noexcept override { return answered_; }
    [[nodiscard]] std::optional<std::chrono::seconds> blocked_for() override;
    void credential_failed() override;
    [[nodiscard]] std::chrono::milliseconds password_delay() override;

    // http_stream
    bool write(std::string_view text) override;
    [[nodiscard]] std::size_t waiting() const noexcept override;
    void close() override;

private:
    http_environment& environment_;
    std::shared_ptr<http_connection> connection_;  // empty: over
    http_request request_;
    std::optional<client_address> client_;
    std::vector<header_field> extra_;
    std::function<void()> gone_;
    bool head_only_ = false;
    bool answered_ = false;
    bool streaming_ = false;
    bool lost_ = false;  // over, and on_closed() is due
};

}  // namespace mbusd
