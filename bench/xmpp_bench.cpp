// XMPP over WebSocket as a whole, beside Prosody in the same run: an Atom entry that is published to a node with many
// subscribed sessions, and the memory of idle sessions.
//
//     bench_xmpp [--mbusd PATH] [--subscribers N] [--publishes N] [--idle N]
//
// All clients are raw readers in this process (xmpp_reader.hpp). One entry is on its way at a time; a delivery is the
// time from the publisher's write to the read of the event. CPU is the server's, per delivered event.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "scram_login.hpp"
#include "xmpp_reader.hpp"
#include "xmpp_servers.hpp"

namespace {

using namespace std::chrono_literals;
using bench::xmpp_reader;
using clock_type = std::chrono::steady_clock;

constexpr std::string_view node = "bench-news";
constexpr auto pause_between = 20ms;  // acknowledgements of the entry before are read meanwhile

struct options {
    std::filesystem::path programs;  // where mbusd and mbus are
    std::size_t subscribers = 1000;
    std::size_t publishes = 100;
    std::size_t idle = 5000;
};

struct contender {
    std::string name;
    std::function<std::unique_ptr<bench::xmpp_server>()> start;
};

[[noreturn]] void fail(const std::string& text) { throw std::runtime_error(text); }

// --- stanzas -------------------------------------------------------------------------------------------

std::string to_pubsub(std::string_view id, std::string_view inside) {
    return "<iq xmlns='jabber:client' type='set' id='" + std::string{id} + "' to='" + bench::xmpp_pubsub +
           "'><pubsub xmlns='http://jabber.org/protocol/pubsub'>" + std::string{inside} + "</pubsub></iq>";
}

std::string creation() {
    return to_pubsub(
        "create",
        "<create node='" + std::string{node} +
            "'/><configure><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>"
            "<value>http://jabber.org/protocol/pubsub#node_config</value></field><field var='pubsub#max_items'>"
            "<value>10</value></field><field var='pubsub#persist_items'><value>1</value></field></x></configure>");
}

std::string subscription(const std::string& jid) {
    return to_pubsub("subscribe", "<subscribe node='" + std::string{node} + "' jid='" + jid + "'/>");
}

std::string publication(std::size_t number) {
    const auto id = std::to_string(number);
    return to_pubsub("publish" + id,
                     "<publish node='" + std::string{node} + "'><item id='i" + id +
                         "'><entry xmlns='http://www.w3.org/2005/Atom'><id>tag:bus.example,2026:" + id +
                         "</id><title>Measured " + id +
                         "</title><updated>2026-01-01T00:00:00Z</updated><author><name>bench</name></author>"
                         "<link rel='alternate' href='https://bus.example/news/" +
                         id + "'/><summary>" + std::string(200, 'x') + "</summary></entry></item></publish>");
}

// --- many clients ----------------------------------------------------------------------------------------

// Clients of one server, and the epoll that says which of them has something to read.
class crowd {
public:
    crowd(const bench::xmpp_server& at, bool managed)
        : how_{.port = at.port(), .path = at.path(), .domain = bench::xmpp_domain, .managed = managed},
          epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
    ~crowd() { ::close(epoll_); }
    crowd(const crowd&) = delete;
    crowd& operator=(const crowd&) = delete;

    xmpp_reader& add() {
        how_.resource = "r" + std::to_string(all_.size());
        auto& made = *all_.emplace_back(std::make_unique<xmpp_reader>(how_, login_));
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &made;
        (void)::epoll_ctl(epoll_, EPOLL_CTL_ADD, made.socket(), &event);
        return made;
    }

    // Reads what comes until `until`; `took` is called with each client and how many messages it read.
    void read(clock_type::time_point until, const std::function<bool(std::size_t messages)>& took) {
        std::array<epoll_event, 128> events;
        for (auto now = clock_type::now(); now < until; now = clock_type::now()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
            const int ready =
                ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(left));
            bool enough = false;
            for (int index = 0; index < ready; ++index) {
                auto& one = *static_cast<xmpp_reader*>(events[static_cast<std::size_t>(index)].data.ptr);
                const auto before = one.messages();
                if (!one.read()) fail("the server closed a client's connection");
                if (one.messages() != before) enough = took(one.messages() - before);
            }
            if (enough) return;
        }
    }

private:
    bench::xmpp_plan how_;
    int epoll_;
    bench::scram_login login_{bench::xmpp_user, bench::xmpp_password};
    std::vector<std::unique_ptr<xmpp_reader>> all_;
};

// --- one to many -------------------------------------------------------------------------------------------

struct delivery {
    double median_ms = 0;
    double p99_ms = 0;
    double cpu_us = 0;  // of the server, per event
};

delivery publish_to_many(const bench::xmpp_server& at, const options& asked, bool managed) {
    crowd clients{at, managed};
    auto& publisher = clients.add();
    (void)publisher.ask(creation());
    for (std::size_t index = 0; index < asked.subscribers; ++index) {
        auto& one = clients.add();
        (void)one.ask(subscription(one.jid()));
    }
    std::vector<double> took_ms;
    took_ms.reserve(asked.publishes * asked.subscribers);
    clients.read(clock_type::now() + 1s, [](std::size_t) { return false; });
    const double before = bench::cpu_of(at.id());
    for (std::size_t number = 0; number < asked.publishes; ++number) {
        const auto wanted = (number + 1) * asked.subscribers;
        const auto start = clock_type::now();
        publisher.send(publication(number));
        clients.read(start + 30s, [&](std::size_t messages) {
            const std::chrono::duration<double, std::milli> took = clock_type::now() - start;
            took_ms.insert(took_ms.end(), messages, took.count());
            return took_ms.size() >= wanted;
        });
        if (took_ms.size() != wanted)
            fail(std::to_string(wanted) + " events were due, " + std::to_string(took_ms.size()) + " came");
        clients.read(clock_type::now() + pause_between, [](std::size_t) { return false; });
    }
    const double used = bench::cpu_of(at.id()) - before;
    std::ranges::sort(took_ms);
    return {.median_ms = took_ms[took_ms.size() / 2],
            .p99_ms = took_ms[took_ms.size() * 99 / 100],
            .cpu_us = used * 1e6 / static_cast<double>(took_ms.size())};
}

double idle_kilobytes(const bench::xmpp_server& at, const options& asked) {
    crowd clients{at, true};
    (void)clients.add();  // what the first one needs is not each one's
    const auto before = bench::resident_octets_of(at.id());
    for (std::size_t index = 0; index < asked.idle; ++index) (void)clients.add();
    clients.read(clock_type::now() + 3s,
                 [](std::size_t) { return false; });  // what the logins needed is given back
    const auto after = bench::resident_octets_of(at.id());
    return static_cast<double>(after - before) / 1024 / static_cast<double>(asked.idle);
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
        } else if (word == "--subscribers" && more) {
            out.subscribers = std::max<std::size_t>(1, std::stoull(argv[++index]));
        } else if (word == "--publishes" && more) {
            out.publishes = std::max<std::size_t>(1, std::stoull(argv[++index]));
        } else if (word == "--idle" && more) {
            out.idle = std::stoull(argv[++index]);
        } else if (!word.starts_with("--benchmark_")) {
            fail("usage: bench_xmpp [--mbusd PATH] [--subscribers N] [--publishes N] [--idle N]");
        }
    }
    return out;
}

// As many descriptors as the clients need, here and in the servers, which inherit the limit.
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
    raise_descriptor_limit(std::max(asked.idle, asked.subscribers) + 100);
    std::vector<contender> contenders{
        {"mbusd", [&] { return std::make_unique<bench::mbusd_with_xmpp>(asked.programs); }}};
    if (bench::prosody::installed()) {
        contenders.push_back({bench::prosody::name(), [] { return std::make_unique<bench::prosody>(); }});
    } else {
        std::printf("Prosody: skipped, %s is not there (Debian's package prosody)\n",
                    bench::prosody::program);
    }
    std::printf(
        "%zu entries to %zu subscribed sessions, one after the other; CPU of the server per delivered event\n\n",
        asked.publishes, asked.subscribers);
    for (const bool managed : {false, true}) {
        for (const auto& each : contenders) {
            const auto server = each.start();
            const auto got = publish_to_many(*server, asked, managed);
            std::printf("%-44s p50 %6.1f ms  p99 %6.1f ms  CPU %6.2f us\n",
                        (each.name + (managed ? ", stream management" : "")).c_str(), got.median_ms,
                        got.p99_ms, got.cpu_us);
            std::fflush(stdout);
        }
    }
    if (asked.idle == 0) return 0;
    for (const auto& each : contenders) {
        const auto server = each.start();
        std::printf("%-44s %6.1f KB\n",
                    (each.name + ", each of " + std::to_string(asked.idle) + " idle sessions").c_str(),
                    idle_kilobytes(*server, asked));
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        std::signal(SIGPIPE, SIG_IGN);
        return run(parse(argc, argv));
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "bench_xmpp: %s\n", fault.what());
        return 1;
    }
}
