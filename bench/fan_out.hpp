// What the floor and the gateway's benchmark share: one sender, something in the middle, many readers
// in one process; and the floor itself, a relay that only moves octets.
//
// Thread-safety: none.
#pragma once

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

struct outcome {
    std::size_t delivered = 0;
    double seconds = 0;
    double sender_cpu = 0;
    double middle_cpu = 0;
    double readers_cpu = 0;
    double octets_per_message = 0;
};

// Lines from a participant to the benchmark.
struct pipe_ends {
    pipe_ends() {
        if (::pipe(ends.data()) != 0) throw std::runtime_error("pipe");
    }
    ~pipe_ends() {
        for (const int each : ends) ::close(each);
    }
    pipe_ends(const pipe_ends&) = delete;
    pipe_ends& operator=(const pipe_ends&) = delete;

    void say(const std::string& line) const {
        if (::write(ends[1], (line + "\n").data(), line.size() + 1) < 0) std::_Exit(1);
    }
    [[nodiscard]] std::string hear() const {
        std::string line;
        char octet = 0;
        while (::read(ends[0], &octet, 1) == 1 && octet != '\n') line.push_back(octet);
        return line;
    }
    std::array<int, 2> ends{};
};

// Reads from many until all have what they should, or nothing comes any more.
template <class Reader, class Count>
void read_all(std::vector<Reader>& readers, const Count& count, std::uint64_t wanted, std::chrono::steady_clock::time_point& last) {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    for (std::size_t index = 0; index < readers.size(); ++index) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = index;
        (void)::epoll_ctl(epoll, EPOLL_CTL_ADD, readers[index].socket(), &event);
    }
    std::array<epoll_event, 128> events;
    std::uint64_t got = 0;
    while (got < wanted) {
        const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 10'000);
        if (ready <= 0) break;
        for (int index = 0; index < ready; ++index) {
            auto& reader = readers[events[static_cast<std::size_t>(index)].data.u64];
            const auto before = count(reader);
            if (!reader.read()) throw std::runtime_error("a reader's connection ended");
            got += count(reader) - before;
        }
        last = std::chrono::steady_clock::now();
    }
    ::close(epoll);
}

struct relay_plan {
    std::size_t messages = 0;
    std::size_t message_octets = 0;
    std::size_t readers = 0;
    std::size_t burst = 0;  // messages of one write
};

// From a Unix socket to TCP readers on loopback, one writev for each of them and read.
outcome relay_to_many(const relay_plan& plan);

}  // namespace bench
