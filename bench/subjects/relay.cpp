#include "subjects/relay.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "harness/crew.hpp"

namespace bench {
namespace {

constexpr std::size_t buffer_octets = std::size_t{64} * 1024;

std::size_t read_some(int from, std::vector<char>& buffer) {
    const auto got = ::read(from, buffer.data(), buffer.size());
    if (got <= 0) throw std::runtime_error("a socket of the relay ended");
    return static_cast<std::size_t>(got);
}

bool readable(int socket, std::chrono::milliseconds limit) {
    pollfd one{.fd = socket, .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, static_cast<int>(limit.count())) == 1;
}

struct stream_pair {
    stream_pair() {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
            throw std::runtime_error("socketpair");
    }
    ~stream_pair() {
        for (const int each : ends)
            if (each >= 0) ::close(each);
    }
    stream_pair(const stream_pair&) = delete;
    stream_pair(stream_pair&& other) noexcept : ends(std::exchange(other.ends, {-1, -1})) {}
    stream_pair& operator=(stream_pair&&) = delete;

    [[nodiscard]] int participant() const noexcept { return ends[0]; }
    [[nodiscard]] int relay() const noexcept { return ends[1]; }
    std::array<int, 2> ends{};
};

// Messages are so many octets; nobody looks at them.
class stream_participant final : public participant {
public:
    stream_participant(int socket, const seat& where)
        : socket_(socket),
          where_(where),
          message_(where.payload + relay_header_octets),
          block_(message_ * 64, 'x') {}

    void publish(std::size_t count) override {
        for (; count > 64; count -= 64) write_whole(socket_, block_.data(), 64 * message_);
        write_whole(socket_, block_.data(), count * message_);
    }

    void serve(std::chrono::milliseconds time) override {
        if (where_.role == part::publisher) {
            (void)::poll(nullptr, 0, static_cast<int>(time.count()));
            return;
        }
        // As long as there is work no poll is needed.
        for (int reads = 0; reads < 1000; ++reads) {
            const auto got = read_some(socket_, buffer_);
            begun_ += got;
            const auto whole = begun_ / message_;
            begun_ %= message_;
            if (where_.role == part::echo)
                publish(whole);
            else
                where_.delivered->add(whole);
        }
    }

    bool call(std::chrono::milliseconds limit) override {
        publish(1);
        for (std::size_t got = 0; got < message_;) {
            if (limit.count() < 1000 && !readable(socket_, limit)) return false;
            got += read_some(socket_, buffer_);
        }
        return true;
    }

private:
    int socket_;
    seat where_;
    std::size_t message_;
    std::size_t begun_ = 0;
    std::vector<char> block_;
    std::vector<char> buffer_ = std::vector<char>(buffer_octets);
};

// The streams of all participants: the publisher's or caller's, then those of the others.
class relay final : public subject {
public:
    relay(const subject_plan& plan, bool with_process) : streams_(plan.readers + 1) {
        if (!with_process) return;
        process_.push_back(
            middle_.hire("relay", [this, &plan] { plan.round_trip ? both_ways() : forward(); }));
    }

    std::unique_ptr<participant> join(const seat& where) override {
        const bool first = where.role == part::publisher || where.role == part::caller;
        const auto& own = streams_[first ? 0 : where.index + 1];
        // Without the relay both hold the ends of one stream.
        const int socket = process_.empty() && !first ? streams_[0].relay() : own.participant();
        return std::make_unique<stream_participant>(socket, where);
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return process_; }

private:
    [[noreturn]] void forward() const {
        std::vector<char> buffer(buffer_octets);
        while (true) {
            const auto got = read_some(streams_[0].relay(), buffer);
            for (std::size_t index = 1; index < streams_.size(); ++index)
                write_whole(streams_[index].relay(), buffer.data(), got);
        }
    }

    [[noreturn]] void both_ways() const {
        std::vector<char> buffer(buffer_octets);
        const std::array<int, 2> ends{streams_[0].relay(), streams_[1].relay()};
        std::array<pollfd, 2> ready{pollfd{ends[0], POLLIN, 0}, pollfd{ends[1], POLLIN, 0}};
        while (true) {
            if (::poll(ready.data(), ready.size(), -1) < 0) throw std::runtime_error("poll");
            for (std::size_t from = 0; from < 2; ++from) {
                if ((ready[from].revents & POLLIN) == 0) continue;
                write_whole(ends[1 - from], buffer.data(), read_some(ends[from], buffer));
            }
        }
    }

    std::vector<stream_pair> streams_;
    crew middle_;
    std::vector<pid_t> process_;
};

}  // namespace

void write_whole(int to, const char* octets, std::size_t count) {
    while (count > 0) {
        const auto put = ::write(to, octets, count);
        if (put <= 0) throw std::runtime_error("a socket of the relay broke");
        octets += put;
        count -= static_cast<std::size_t>(put);
    }
}

std::unique_ptr<participant> make_stream_participant(int socket, const seat& where) {
    return std::make_unique<stream_participant>(socket, where);
}

std::unique_ptr<subject> make_relay(const subject_plan& plan) { return std::make_unique<relay>(plan, true); }

std::unique_ptr<subject> make_unix_stream(const subject_plan& plan) {
    if (plan.readers != 1) throw not_available("a stream has one reader");
    return std::make_unique<relay>(plan, false);
}

}  // namespace bench
