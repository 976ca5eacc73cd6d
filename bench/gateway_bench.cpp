// The gateway as a whole: one sender on the Unix socket to many WebSocket subscribers, beside the
// floor of the same run; memory of idle sessions; resuming a session with a full queue.
//
//     bench_gateway [--mbusd PATH] [--messages N] [--subscribers N] [--idle N]
//
// The subscribers are raw readers in one process that acknowledge what they get (raw_subscriber.hpp).
// The floor is a relay process that reads octets from a Unix socket and writes them to as many
// TCP readers, one writev each. CPU is what /proc charges, per delivered message.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <mbus/mbus.hpp>

#include "bench_process.hpp"
#include "fan_out.hpp"
#include "raw_subscriber.hpp"

namespace {

using namespace std::chrono_literals;
using bench::child_process;
using bench::outcome;
using bench::pipe_ends;
using bench::read_all;
using bench::raw_subscriber;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t burst = 64;  // as a busy application offers them
constexpr std::size_t body_octets = 256;
constexpr std::uint32_t subscriber_window = 256;
constexpr std::size_t queued_messages = 10'000;  // of the session that is resumed
constexpr std::string_view subscriber_address = "(app:bench-subscriber)";

struct options {
    std::filesystem::path programs;  // where mbusd and mbus are
    std::size_t messages = 20'000;
    std::size_t subscribers = 100;
    std::size_t idle = 10'000;
};

[[noreturn]] void fail(const std::string& text) { throw std::runtime_error(text); }

template <class T>
T need(mbus::result<T> from, const char* what) {
    if (!from) fail(std::string{what} + ": " + describe(from.error()));
    return std::move(*from);
}

double seconds_since(clock_type::time_point start) { return std::chrono::duration<double>(clock_type::now() - start).count(); }

// --- a daemon with a gateway and a token -------------------------------------------------------------

std::uint16_t free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t octets = sizeof name;
    if (::bind(probe, reinterpret_cast<const sockaddr*>(&name), octets) != 0 ||
        ::getsockname(probe, reinterpret_cast<sockaddr*>(&name), &octets) != 0)
        fail("no free port");
    ::close(probe);
    return ntohs(name.sin_port);
}

struct gateway {
    explicit gateway(const options& asked)
        : port(free_port()),
          mbusd((asked.programs / "mbusd").string(),
                "[gateway]\nenabled = true\nlisten = [\"127.0.0.1:" + std::to_string(port) +
                    "\"]\nconnections = 16384\nconnections_per_address = 16384\n") {
        const auto command = "MBUS_SOCKET=" + mbusd.socket() + " " + (asked.programs / "mbus").string() +
                             " client add bench --attach '()' --send '()' --block";
        FILE* const out = ::popen(command.c_str(), "r");
        std::array<char, 256> line{};
        if (out == nullptr || std::fgets(line.data(), line.size(), out) == nullptr) fail("mbus client add gave no token");
        (void)::pclose(out);
        token = line.data();
        while (!token.empty() && token.back() <= ' ') token.pop_back();
    }

    [[nodiscard]] bench::subscription subscription(std::uint32_t window) const {
        return {.port = port, .token = token, .entity = std::string{subscriber_address}, .window = window};
    }

    std::uint16_t port;
    bench::daemon mbusd;
    std::string token;
};

int send(const std::string& socket, std::size_t messages, std::string_view to) {
    auto connection = need(mbus::connect(socket), "connect");
    auto me = need(connection.attach("app:bench-sender").wait(), "attach");
    const std::string body = "bench.text(\"" + std::string(body_octets - 14, 'x') + "\")";
    const auto whom = need(mbus::address::parse(to), "address");
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
    (void)connection.flush(30s);
    return 0;
}

// --- one to many ---------------------------------------------------------------------------------------

void print_row(const char* name, const outcome& what, std::size_t offered, double floor) {
    const auto per_message = [&](double seconds) { return seconds * 1e9 / static_cast<double>(what.delivered); };
    const double rate = static_cast<double>(what.delivered) / what.seconds;
    std::printf("%-38s %9.0f/s %6zu lost %6.0f + %5.0f + %5.0f ns", name, rate, offered - what.delivered,
                per_message(what.sender_cpu), per_message(what.middle_cpu), per_message(what.readers_cpu));
    if (floor > 0) std::printf("  %4.2f of the floor", rate / floor);
    std::printf("\n");
    std::fflush(stdout);
}

outcome through_gateway(const gateway& at, const options& asked) {
    const pipe_ends report;
    child_process readers{[&] {
        std::vector<raw_subscriber> all;
        for (std::size_t index = 0; index < asked.subscribers; ++index) all.emplace_back(at.subscription(subscriber_window));
        report.say("ready");
        auto last = clock_type::now();
        read_all(all, [](const raw_subscriber& one) { return one.messages(); }, asked.messages * asked.subscribers, last);
        std::uint64_t messages = 0;
        std::uint64_t octets = 0;
        for (const auto& each : all) {
            messages += each.messages();
            octets += each.message_octets();
        }
        report.say(std::to_string(messages) + " " + std::to_string(octets) + " " + std::to_string(last.time_since_epoch().count()));
        return 0;
    }};
    if (report.hear() != "ready") fail("the subscribers did not get ready");
    const double before = at.mbusd.cpu();
    const auto start = clock_type::now();
    child_process sender{[&] { return send(at.mbusd.socket(), asked.messages, subscriber_address); }};
    const auto result = report.hear();
    sender.wait();
    readers.wait();
    unsigned long long messages = 0;
    unsigned long long octets = 0;
    long long end = 0;
    if (std::sscanf(result.c_str(), "%llu %llu %lld", &messages, &octets, &end) != 3 || messages == 0) fail("nothing was delivered");
    const auto last = clock_type::time_point{clock_type::duration{end}};
    return {.delivered = messages,
            .seconds = std::chrono::duration<double>(last - start).count(),
            .sender_cpu = sender.cpu(),
            .middle_cpu = at.mbusd.cpu() - before,
            .readers_cpu = readers.cpu(),
            .octets_per_message = static_cast<double>(octets) / static_cast<double>(messages)};
}

// --- idle sessions, and one that comes back --------------------------------------------------------------

void idle(const gateway& at, const options& asked) {
    const auto before = at.mbusd.resident_octets();
    std::vector<raw_subscriber> sessions;
    sessions.reserve(asked.idle);
    auto how = at.subscription(256);
    how.entity = "(app:bench-idle)";
    for (std::size_t index = 0; index < asked.idle; ++index) sessions.emplace_back(how);
    std::this_thread::sleep_for(3s);  // what the handshakes needed is given back
    const auto after = at.mbusd.resident_octets();
    std::printf("%-38s %9.2f KB (with one entity each)\n",
                ("resident, each of " + std::to_string(asked.idle) + " idle sessions").c_str(),
                static_cast<double>(after - before) / 1024 / static_cast<double>(asked.idle));
    std::fflush(stdout);
}

void resume(const gateway& at) {
    constexpr std::string_view address = "(app:bench-resumed)";
    auto how = at.subscription(256);
    how.entity = address;
    {
        const raw_subscriber first{how};
        how.session = first.session();
        how.received = first.received();
        how.entity.clear();
    }
    std::this_thread::sleep_for(200ms);
    child_process sender{[&] { return send(at.mbusd.socket(), queued_messages / burst * burst + burst, address); }};
    sender.wait();
    std::this_thread::sleep_for(200ms);
    const auto start = clock_type::now();
    raw_subscriber again{how};
    again.read_until(queued_messages);
    std::printf("%-38s %9.1f ms (window 256)\n", ("resume with " + std::to_string(queued_messages) + " queued messages").c_str(),
                seconds_since(start) * 1e3);
    std::fflush(stdout);
}

// --- all of it -----------------------------------------------------------------------------------------

options parse(int argc, char** argv) {
    options out;
    out.programs = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin";
    for (int index = 1; index < argc; ++index) {
        const std::string_view word = argv[index];
        const bool more = index + 1 < argc;
        if (word == "--mbusd" && more) {
            out.programs = std::filesystem::path{argv[++index]}.parent_path();
        } else if (word == "--messages" && more) {
            out.messages = std::max<std::size_t>(1, std::stoull(argv[++index]) / burst) * burst;
        } else if (word == "--subscribers" && more) {
            out.subscribers = std::stoull(argv[++index]);
        } else if (word == "--idle" && more) {
            out.idle = std::stoull(argv[++index]);
        } else if (!word.starts_with("--benchmark_")) {
            fail("usage: bench_gateway [--mbusd PATH] [--messages N] [--subscribers N] [--idle N]");
        }
    }
    out.messages = out.messages / burst * burst;
    return out;
}

// As many descriptors as the idle sessions need, here and in the daemon, which inherits the limit.
void raise_descriptor_limit(std::size_t wanted) {
    rlimit limit{};
    (void)::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < wanted) {
        fail("needs " + std::to_string(wanted) + " open files, " + std::to_string(limit.rlim_max) +
             " are allowed; raise the limit (ulimit -Hn) or give --idle a smaller number");
    }
}

int run(const options& asked) {
    raise_descriptor_limit(asked.idle + asked.subscribers * 2 + 100);
    std::printf("%zu messages of %zu octets to %zu subscribers; CPU: sender + middle + readers per delivered message\n\n",
                asked.messages, body_octets, asked.subscribers);
    std::optional<outcome> delivered;
    {
        const gateway at{asked};
        delivered = through_gateway(at, asked);
        resume(at);
    }
    const auto floor = bench::relay_to_many({.messages = asked.messages,
                                            .message_octets = static_cast<std::size_t>(delivered->octets_per_message + 0.5),
                                            .readers = asked.subscribers,
                                            .burst = burst});
    print_row("relay of octets (the floor)", floor, floor.delivered, 0);
    print_row("mbusd, WebSocket, native binding", *delivered, asked.messages * asked.subscribers,
              static_cast<double>(floor.delivered) / floor.seconds);
    const gateway quiet{asked};
    idle(quiet, asked);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        std::signal(SIGPIPE, SIG_IGN);
        return run(parse(argc, argv));
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "bench_gateway: %s\n", fault.what());
        return 1;
    }
}
