#include "fan_out.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <utility>

#include "bench_process.hpp"

namespace bench {
namespace {

using clock_type = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& text) { throw std::runtime_error(text); }

// Counts octets.
struct octet_reader {
    int descriptor = -1;
    std::uint64_t octets = 0;

    [[nodiscard]] int socket() const noexcept { return descriptor; }
    bool read() {
        static std::vector<char> buffer(256 * 1024);
        const auto got = ::recv(descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got > 0) octets += static_cast<std::uint64_t>(got);
        return got != 0;
    }
};

// `count` TCP connections on loopback: the ends to write and the ends to read.
std::pair<std::vector<int>, std::vector<octet_reader>> connect_readers(std::size_t count) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t octets = sizeof name;
    const auto* address = reinterpret_cast<const sockaddr*>(&name);
    if (::bind(listener, address, octets) != 0 || ::listen(listener, 16) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&name), &octets) != 0)
        fail("listen");
    std::pair<std::vector<int>, std::vector<octet_reader>> ends;
    for (std::size_t index = 0; index < count; ++index) {
        const int reader = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(reader, address, octets) != 0) fail("connect");
        const int writer = ::accept(listener, nullptr, nullptr);
        const int on = 1;
        (void)::setsockopt(writer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ends.first.push_back(writer);
        ends.second.push_back({.descriptor = reader});
    }
    ::close(listener);
    return ends;
}

void write_whole(int to, const std::vector<char>& octets, std::size_t count) {
    for (std::size_t put = 0; put < count;) {
        const iovec piece{const_cast<char*>(octets.data()) + put, count - put};
        const auto now = ::writev(to, &piece, 1);
        if (now <= 0) fail("the relay's socket broke");
        put += static_cast<std::size_t>(now);
    }
}

}  // namespace

outcome relay_to_many(const relay_plan& plan) {
    std::array<int, 2> in{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, in.data()) != 0) fail("socketpair");
    auto [writers, readers] = connect_readers(plan.readers);
    const std::size_t octets = plan.messages * plan.message_octets;
    const pipe_ends report;
    child_process reading{[&] {
        auto last = clock_type::now();
        read_all(readers, [](const octet_reader& one) { return one.octets; }, octets * plan.readers, last);
        report.say(std::to_string(last.time_since_epoch().count()));
        return 0;
    }};
    child_process middle{[&] {
        std::vector<char> buffer(64 * 1024);
        for (std::size_t moved = 0; moved < octets;) {
            const auto got = ::read(in[1], buffer.data(), buffer.size());
            if (got <= 0) return 1;
            for (const int each : writers) write_whole(each, buffer, static_cast<std::size_t>(got));
            moved += static_cast<std::size_t>(got);
        }
        return 0;
    }};
    const auto start = clock_type::now();
    child_process sender{[&] {
        const std::vector<char> block(plan.burst * plan.message_octets, 'x');
        for (std::size_t sent = 0; sent < octets;) {
            const auto part = std::min(block.size(), octets - sent);
            write_whole(in[0], block, part);
            sent += part;
        }
        return 0;
    }};
    const auto end = clock_type::time_point{clock_type::duration{std::stoll(report.hear())}};
    sender.wait();
    middle.wait();
    reading.wait();
    for (const int each : writers) ::close(each);
    for (const auto& each : readers) ::close(each.descriptor);
    for (const int each : in) ::close(each);
    return {.delivered = plan.messages * plan.readers,
            .seconds = std::chrono::duration<double>(end - start).count(),
            .sender_cpu = sender.cpu(),
            .middle_cpu = middle.cpu(),
            .readers_cpu = reading.cpu()};
}

}  // namespace bench
