// kill -9 at random points: what was reported as written is there, in whole transactions.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "store_lab.hpp"

namespace mbusd {
namespace {

constexpr int rounds = 12;

// Writes pairs of clients for ever, and says each number that it was told is written.
[[noreturn]] void write_until_killed(const std::string& file, std::uint32_t from, int told) {
    main_thread thread;
    logger log{level::error, [](level, std::string_view, const std::vector<log_field>&) {}};
    store kept{{.file = file}, thread.post(), log};
    kept.start();
    std::uint32_t next = from;
    std::uint32_t written = from;
    for (;;) {
        while (next - written < 64) {
            transaction pair;
            put_client(pair, client_called(std::to_string(next) + "a"));
            put_client(pair, client_called(std::to_string(next) + "b"));
            kept.submit(std::move(pair), [&written, told, number = next](const mbus::result<void>& outcome) {
                if (!outcome || ::write(told, &number, sizeof number) != sizeof number) ::_exit(2);
                written = number + 1;
            });
            ++next;
        }
        const auto before = written;
        if (!thread.run([&] { return written != before; })) ::_exit(3);
    }
}

// The number after the last that the killed process was told.
std::uint32_t killed_after(const std::string& file, std::uint32_t from, std::chrono::microseconds delay) {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe(pipe.data()) == 0);
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::close(pipe[0]);
        write_until_killed(file, from, pipe[1]);
    }
    ::close(pipe[1]);
    std::uint32_t next = from;
    std::uint32_t number = 0;
    // Counted from the first commit, so that every round kills a process that writes.
    if (::read(pipe[0], &number, sizeof number) == sizeof number) next = number + 1;
    std::this_thread::sleep_for(delay);
    ::kill(child, SIGKILL);
    while (::read(pipe[0], &number, sizeof number) == sizeof number) next = number + 1;
    ::close(pipe[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    return next;
}

}  // namespace

TEST_CASE("given a process that is killed at random points, then all that it was told is written is there") {
    const auto seed = std::random_device{}();
    INFO("seed ", seed);
    std::mt19937 random{seed};
    std::uniform_int_distribution<int> delay{0, 30000};
    store_lab lab;
    std::uint32_t next = 0;
    for (int round = 0; round < rounds; ++round) {
        const auto told = killed_after(lab.where.file(), next, std::chrono::microseconds{delay(random)});
        CHECK(told > next);
        const auto found = clients_in(lab);
        for (std::uint32_t number = 0; number < told; ++number) {
            REQUIRE(found.count(std::to_string(number) + "a") == 1);
            REQUIRE(found.count(std::to_string(number) + "b") == 1);
        }
        CHECK(found.size() % 2 == 0);  // never half a transaction
        next = told;
    }
}

}  // namespace mbusd
