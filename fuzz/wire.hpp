// A byte stream (http/byte_stream.hpp) whose other end is the fuzz target: what is put in is read, what is
// written can be looked at, and callbacks run when the target says so.
//
//     auto line = std::make_shared<fuzz::wire>();
//     connection.start(std::make_unique<fuzz::wire_stream>(line));
//     line->incoming += "GET / HTTP/1.1\r\n";
//     while (line->serve()) {}
//     check(line->outgoing);
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "fuzz.hpp"
#include "http/byte_stream.hpp"

namespace fuzz {

struct wire {
    std::string incoming;    // was sent to the daemon and not read yet
    bool ended = false;      // nothing more will come
    std::string outgoing;    // what the daemon has written
    std::size_t takes = 0;   // octets that one write takes before the socket is full; 0: all
    bool stalled = false;    // the client reads nothing at all
    bool finished = false;   // the daemon has written its last octet
    bool closed = false;     // the daemon has given the stream up

    // Runs one callback that has a reason to run; false: there is none.
    bool serve() {
        if (readable && (!incoming.empty() || ended)) return run(readable);
        if (writable && !stalled) {
            full = false;
            return run(writable);
        }
        return false;
    }

    static bool run(std::function<void()>& waiting) {
        const auto now = std::exchange(waiting, nullptr);
        now();
        return true;
    }

    std::function<void()> readable;
    std::function<void()> writable;
    bool full = false;  // until the daemon has waited
};

class wire_stream final : public mbusd::byte_stream {
public:
    wire_stream(std::shared_ptr<wire> line, bool encrypted) : line_(std::move(line)), encrypted_(encrypted) {}
    ~wire_stream() override { wire_stream::close(); }

    mbusd::io_outcome read(std::span<char> into) override {
        require(!line_->closed, "nothing is read from a stream that was given up");
        if (line_->incoming.empty()) return {line_->ended ? mbusd::io_state::ended : mbusd::io_state::again, 0};
        const auto count = std::min(into.size(), line_->incoming.size());
        std::copy_n(line_->incoming.begin(), count, into.begin());
        line_->incoming.erase(0, count);
        return {mbusd::io_state::done, count};
    }

    mbusd::io_outcome write(std::span<const mbusd::octet_view> pieces) override {
        require(!line_->closed && !line_->finished, "nothing is written after the end");
        if (line_->stalled || line_->full) return {mbusd::io_state::again, 0};
        std::size_t left = line_->takes == 0 ? std::string::npos : line_->takes;
        std::size_t taken = 0;
        for (const auto& each : pieces) {
            const auto count = std::min(left, each.size);
            line_->outgoing.append(each.data, count);
            taken += count;
            left -= count;
        }
        require(taken > 0, "a write has something to say");
        line_->full = left == 0;
        return {mbusd::io_state::done, taken};
    }

    void wait_readable(std::function<void()> ready) override { line_->readable = std::move(ready); }
    void wait_writable(std::function<void()> ready) override { line_->writable = std::move(ready); }
    void finish_output() noexcept override { line_->finished = true; }
    void close() noexcept override {
        line_->closed = true;
        line_->readable = nullptr;
        line_->writable = nullptr;
    }
    [[nodiscard]] bool encrypted() const noexcept override { return encrypted_; }
    [[nodiscard]] std::string failure() const override { return {}; }
    [[nodiscard]] int descriptor() const noexcept override { return -1; }

private:
    std::shared_ptr<wire> line_;
    bool encrypted_;
};

}  // namespace fuzz
