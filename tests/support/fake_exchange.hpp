// HTTP requests without a listener, for tests of what answers paths.
//
//     path_caller web;
//     gateway.add_paths(web.paths);
//     auto call = web.call({.method = "POST", .path = "/cap/x", .body = "a.b()"});
//     CHECK(call->answer->status == 202);
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/exchange.hpp"
#include "http/path_table.hpp"

namespace http_test {

struct fake_stream final : mbusd::http_stream {
    bool write(std::string_view text) override {
        if (closed) return false;
        written += text;
        return true;
    }
    [[nodiscard]] std::size_t waiting() const noexcept override { return stalled; }
    void close() override { closed = true; }

    // What was written since the last take().
    std::string take() { return std::exchange(written, {}); }
    std::string written;
    std::size_t stalled = 0;
    bool closed = false;
};

struct fake_exchange final : mbusd::exchange {
    explicit fake_exchange(mbusd::http_request given) : asked(std::move(given)) {}

    [[nodiscard]] const mbusd::http_request& request() const noexcept override { return asked; }
    void respond(mbusd::http_response what) override {
        if (!answer) answer = std::move(what);
        ++answers;
    }
    std::shared_ptr<mbusd::http_stream> start_stream(mbusd::http_response head) override {
        answer = std::move(head);
        stream = std::make_shared<fake_stream>();
        return stream;
    }
    mbusd::upgraded upgrade(const std::vector<mbusd::header_field>&) override { return {}; }
    void on_closed(std::function<void()> gone) override { closed = std::move(gone); }
    [[nodiscard]] bool answered() const noexcept override { return answer.has_value(); }
    [[nodiscard]] std::optional<std::chrono::seconds> blocked_for() override { return blocked; }
    void credential_failed() override { ++failed_credentials; }
    [[nodiscard]] std::chrono::milliseconds password_delay() override { return delay; }

    // The client goes.
    void hang_up() {
        if (stream) stream->closed = true;
        if (closed) std::exchange(closed, nullptr)();
    }
    [[nodiscard]] std::string header(std::string_view name) const {
        for (const auto& each : answer->headers) {
            if (each.name == name) return each.value;
        }
        return {};
    }
    [[nodiscard]] int status() const { return answer ? answer->status : 0; }
    [[nodiscard]] std::string body() const { return answer ? answer->body : std::string{}; }

    mbusd::http_request asked;
    std::optional<mbusd::http_response> answer;
    std::shared_ptr<fake_stream> stream;
    std::function<void()> closed;
    std::optional<std::chrono::seconds> blocked;
    std::chrono::milliseconds delay{0};
    int answers = 0;
    int failed_credentials = 0;
};

struct path_caller {
    std::shared_ptr<fake_exchange> call(mbusd::http_request request) {
        if (request.method.empty()) request.method = "GET";
        if (request.base_url.empty()) request.base_url = "http://127.0.0.1:8407";
        auto made = std::make_shared<fake_exchange>(std::move(request));
        const auto* found = paths.find(made->asked.path);
        if (found != nullptr) found->handle(made);
        return made;
    }
    mbusd::path_table paths;
};

// Calls that are due later, run by hand.
struct later_calls {
    void operator()(std::chrono::milliseconds wait, std::function<void()> what) { waiting.emplace_back(now + wait, std::move(what)); }
    void pass(std::chrono::milliseconds time) {
        now += time;
        for (auto due = std::exchange(waiting, {}); !due.empty(); due.pop_front()) {
            if (due.front().first <= now) due.front().second();
            else waiting.push_back(std::move(due.front()));
        }
    }
    std::chrono::milliseconds now{0};
    std::deque<std::pair<std::chrono::milliseconds, std::function<void()>>> waiting;
};

}  // namespace http_test
