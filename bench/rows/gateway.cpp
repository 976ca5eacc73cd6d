// What idle WebSocket sessions cost the daemon, and how long one takes that comes back to a full queue.
#include <chrono>
#include <memory>
#include <thread>

#include "harness/crew.hpp"
#include "harness/meter.hpp"
#include "harness/scratch.hpp"
#include "raw_subscriber.hpp"
#include "rows/row.hpp"
#include "subjects/mbusd.hpp"
#include "subjects/mbusd_process.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t idle_sessions = 5000;
constexpr std::size_t queued_messages = 9984;  // whole bursts

struct gateway_daemon {
    std::uint16_t port = free_port();
    mbusd_process daemon{{.gateway_port = port}};
    std::string token = daemon.add_client("bench");

    [[nodiscard]] subscription session(std::string_view entity) const {
        return {.port = port, .token = token, .entity = std::string{entity}, .window = 256};
    }
};

std::vector<figure> measure_sessions(const effort&) {
    const gateway_daemon at;
    std::this_thread::sleep_for(2s);
    const auto before = resident_octets(at.daemon.id());
    std::vector<raw_subscriber> sessions;
    sessions.reserve(idle_sessions);
    while (sessions.size() < idle_sessions) sessions.emplace_back(at.session("(app:idle)"));
    std::this_thread::sleep_for(3s);  // what the handshakes needed is given back
    const auto grown = static_cast<double>(resident_octets(at.daemon.id()) - before);
    return {{"memory", grown / 1024 / static_cast<double>(idle_sessions), "KB"},
            {"sessions", static_cast<double>(idle_sessions), ""}};
}

std::vector<figure> measure_resuming(const effort&) {
    const gateway_daemon at;
    auto how = at.session(reader_address);
    {
        const raw_subscriber first{how};
        how.session = first.session();
        how.received = first.received();
        how.entity.clear();
    }
    const shared_run run;
    crew people;
    people.hire("publisher", [&] {
        const auto self =
            make_mbus_participant(at.daemon.socket(), {.role = part::publisher}, {.full_address = false});
        for (std::size_t sent = 0; sent < queued_messages; sent += burst) self->publish(burst);
        self->serve(200ms);
        run->ready.add(1);
        self->serve(1h);
    });
    people.await([&] { return run->ready.count() == 1; }, "the filling of the queue");
    const auto start = std::chrono::steady_clock::now();
    raw_subscriber again{how};
    again.read_until(queued_messages);
    const auto took =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return {{"time", took, "ms"}, {"messages", static_cast<double>(queued_messages), ""}};
}

}  // namespace

void add_gateway_jobs(std::vector<job>& jobs) {
    jobs.push_back({.about = {.id = "websocket-idle/mbusd",
                              .work = "idle WebSocket sessions with one entity, each",
                              .subject = "mbusd"},
                    .measure = measure_sessions});
    jobs.push_back({.about = {.id = "websocket-resume/mbusd",
                              .work = "a session comes back to its queue",
                              .subject = "mbusd"},
                    .measure = measure_resuming});
}

}  // namespace bench
