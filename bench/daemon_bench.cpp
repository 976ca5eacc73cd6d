// The daemon as a whole, beside the floor of the same run: messages of 64 octets from one program to
// another through mbusd, what that costs each process, and what the daemon costs when nothing
// happens.
//
//     bench_daemon [--mbusd PATH] [--messages N]
//
// Each participant is a process of its own. The floor is a relay that only moves the same octets from
// one Unix socket to another. CPU is what /proc charges, per delivered message.
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <mbus/mbus.hpp>

#include "bench_process.hpp"

namespace {

using namespace std::chrono_literals;
using bench::child_process;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t burst = 64;             // as a busy application offers them
constexpr std::size_t payload_octets = 64;
constexpr std::size_t frame_octets = 96;      // what the relay moves: payload and a header's worth
constexpr std::size_t idle_clients = 1000;

struct options {
    std::string mbusd;
    std::size_t messages = 2'000'000;
};

[[noreturn]] void fail(const std::string& text) { throw std::runtime_error(text); }

template <class T>
T need(mbus::result<T> from, const char* what) {
    if (!from) fail(std::string{what} + ": " + describe(from.error()));
    return std::move(*from);
}

// --- one row -------------------------------------------------------------------------------------

struct outcome {
    std::size_t delivered = 0;
    double seconds = 0;
    double sender_cpu = 0;
    double receiver_cpu = 0;
    double middle_cpu = 0;
};

void print_row(const char* name, const outcome& what, std::size_t offered, double floor) {
    const auto per_message = [&](double seconds) { return seconds * 1e9 / static_cast<double>(what.delivered); };
    const double rate = static_cast<double>(what.delivered) / what.seconds;
    std::printf("%-38s %9.0f/s %6zu lost %6.0f + %5.0f + %5.0f ns", name, rate, offered - what.delivered,
                per_message(what.sender_cpu), per_message(what.middle_cpu), per_message(what.receiver_cpu));
    if (floor > 0) std::printf("  %4.2f of the floor", rate / floor);
    std::printf("\n");
    std::fflush(stdout);
}

// --- the floor: a relay of octets ----------------------------------------------------------------

void write_all(int to, const char* octets, std::size_t count) {
    while (count > 0) {
        const auto put = ::write(to, octets, count);
        if (put <= 0) fail("the relay's socket broke");
        octets += put;
        count -= static_cast<std::size_t>(put);
    }
}

outcome relay(std::size_t messages) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, in.data()) != 0 || ::socketpair(AF_UNIX, SOCK_STREAM, 0, out.data()) != 0)
        fail("socketpair");
    const std::size_t octets = messages * frame_octets;
    child_process middle{[&] {
        std::vector<char> buffer(256 * 1024);
        for (std::size_t moved = 0; moved < octets;) {
            const auto got = ::read(in[1], buffer.data(), buffer.size());
            if (got <= 0) return 1;
            write_all(out[0], buffer.data(), static_cast<std::size_t>(got));
            moved += static_cast<std::size_t>(got);
        }
        return 0;
    }};
    child_process receiver{[&] {
        std::vector<char> buffer(256 * 1024);
        for (std::size_t got_all = 0; got_all < octets;) {
            const auto got = ::read(out[1], buffer.data(), buffer.size());
            if (got <= 0) return 1;
            got_all += static_cast<std::size_t>(got);
        }
        return 0;
    }};
    const auto start = clock_type::now();
    child_process sender{[&] {
        const std::string block(burst * frame_octets, 'x');
        for (std::size_t sent = 0; sent < messages; sent += burst) write_all(in[0], block.data(), block.size());
        return 0;
    }};
    outcome what{.delivered = messages};
    receiver.wait();
    what.seconds = std::chrono::duration<double>(clock_type::now() - start).count();
    sender.wait();
    middle.wait();
    what.sender_cpu = sender.cpu();
    what.receiver_cpu = receiver.cpu();
    what.middle_cpu = middle.cpu();
    for (const int each : {in[0], in[1], out[0], out[1]}) ::close(each);
    return what;
}

// --- through the daemon ---------------------------------------------------------------------------

// Reads `what` once the receiver has something to say.
std::string read_line(int from) {
    std::string line;
    char octet = 0;
    while (::read(from, &octet, 1) == 1 && octet != '\n') line.push_back(octet);
    return line;
}

mbus::connection connect(const std::string& socket, std::uint32_t window) {
    mbus::connect_options how;
    how.socket = socket;
    how.window = window;
    if (window > 0) how.expiry = 10s;
    return need(mbus::connection::connect(how), "connect");
}

int receive(const std::string& socket, std::uint32_t window, std::size_t messages, int report) {
    auto connection = connect(socket, window);
    auto me = need(connection.attach("app:bench-receiver", {.policy = mbus::slow_reader_policy::block}).wait(), "attach");
    std::size_t got = 0;
    auto last = clock_type::now();
    me.on_message([&](const mbus::received_message& message) {
        got += message.commands().size();
        last = clock_type::now();
        if (got >= messages) connection.stop();
    });
    const auto say = [report](const std::string& line) {
        if (::write(report, (line + "\n").data(), line.size() + 1) < 0) std::exit(1);
    };
    say(std::string{me.address().text()});
    // Ends when all are here, or when nothing came for a while.
    while (got < messages && (clock_type::now() - last < 10s || got == 0)) (void)connection.run_for(500ms);
    say(std::to_string(got) + " " + std::to_string(last.time_since_epoch().count()));
    return 0;
}

int send(const std::string& socket, std::size_t messages, const std::string& to) {
    auto connection = connect(socket, 0);
    auto me = need(connection.attach("app:bench-sender").wait(), "attach");
    const std::string body = "bench.text(\"" + std::string(payload_octets - 14, 'x') + "\")";
    const auto whom = need(mbus::address::parse_relaxed(to), "address");
    for (std::size_t sent = 0; sent < messages; sent += burst) {
        const auto together = connection.batch();
        for (std::size_t index = 0; index < burst; ++index) {
            auto put = me.send(whom, body);
            while (!put && put.error().code == mbus::errc::overflow) {
                (void)connection.flush(1s);
                put = me.send(whom, body);
            }
            if (!put) fail(describe(put.error()));
        }
    }
    (void)connection.flush(10s);
    return 0;
}

// `window`: of the receiver. The sender has none, so that the policy `block` holds it back and
// nothing is lost.
outcome through_daemon(const bench::daemon& mbusd, std::uint32_t window, std::size_t messages, bool full_address) {
    std::array<int, 2> report{};
    if (::pipe(report.data()) != 0) fail("pipe");
    child_process receiver{[&] { return receive(mbusd.socket(), window, messages, report[1]); }};
    const auto address = read_line(report[0]);
    const double before = mbusd.cpu();
    const auto start = clock_type::now();
    child_process sender{[&] {
        return send(mbusd.socket(), messages, full_address ? address : "app:bench-receiver");
    }};
    const auto result = read_line(report[0]);
    sender.wait();
    receiver.wait();
    ::close(report[0]);
    ::close(report[1]);
    outcome what;
    what.delivered = std::stoull(result);
    const auto end = clock_type::time_point{clock_type::duration{std::stoll(result.substr(result.find(' ')))}};
    what.seconds = std::chrono::duration<double>(end - start).count();
    what.sender_cpu = sender.cpu();
    what.receiver_cpu = receiver.cpu();
    what.middle_cpu = mbusd.cpu() - before;
    return what;
}

// --- doing nothing --------------------------------------------------------------------------------

void idle(const bench::daemon& mbusd) {
    const auto alone = mbusd.resident_octets();
    std::printf("%-38s %9.1f MB\n", "resident, idle", static_cast<double>(alone) / 1e6);

    const auto wakes = mbusd.wake_ups();
    std::this_thread::sleep_for(10s);
    std::printf("%-38s %9.1f/s (hello of one entity: 1/s)\n", "wake-ups, idle",
                static_cast<double>(mbusd.wake_ups() - wakes) / 10);

    std::vector<mbus::connection> clients;
    std::vector<mbus::entity> entities;
    for (std::size_t index = 0; index < idle_clients; ++index) {
        clients.push_back(connect(mbusd.socket(), 0));
        entities.push_back(need(clients.back().attach("app:idle").wait(), "attach"));
    }
    const auto crowded = mbusd.resident_octets();
    std::printf("%-38s %9.2f KB\n", "resident, each of 1000 idle clients",
                static_cast<double>(crowded - alone) / 1024 / static_cast<double>(idle_clients));
}

options parse(int argc, char** argv) {
    options out;
    out.mbusd = (std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin" / "mbusd").string();
    for (int index = 1; index < argc; ++index) {
        const std::string_view word = argv[index];
        const bool more = index + 1 < argc;
        if (word == "--mbusd" && more) {
            out.mbusd = argv[++index];
        } else if (word == "--messages" && more) {
            out.messages = std::stoull(argv[++index]) / burst * burst;
        } else if (!word.starts_with("--benchmark_")) {
            fail("usage: bench_daemon [--mbusd PATH] [--messages N]");
        }
    }
    return out;
}

int run(const options& asked) {
    std::printf("%zu messages of %zu octets in bursts of %zu; CPU: sender + middle + receiver per message\n\n", asked.messages,
                payload_octets, burst);
    const auto floor = relay(asked.messages);
    const double floor_rate = static_cast<double>(floor.delivered) / floor.seconds;
    print_row("relay of octets (the floor)", floor, asked.messages, 0);
    {
        const bench::daemon mbusd{asked.mbusd};
        idle(mbusd);
    }
    const bench::daemon mbusd{asked.mbusd};
    print_row("mbusd, full address", through_daemon(mbusd, 0, asked.messages, true), asked.messages, floor_rate);
    print_row("mbusd, full address, windowed reader", through_daemon(mbusd, 4096, asked.messages, true), asked.messages, floor_rate);
    print_row("mbusd, subset, also on the bus", through_daemon(mbusd, 0, asked.messages, false), asked.messages, floor_rate);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        std::signal(SIGPIPE, SIG_IGN);
        return run(parse(argc, argv));
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "bench_daemon: %s\n", fault.what());
        return 1;
    }
}
