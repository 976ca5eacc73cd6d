// What a delivery costs in a broker's session, without sockets and routes: one message of 256 octets
// offered to 100 sessions, in turns of 64 messages, written out and acknowledged (core/mbws).
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "mbws/broker_connection.hpp"
#include "mbws/connection_port.hpp"

namespace {

using namespace mbus::mbws;

constexpr std::size_t subscribers = 100;
constexpr std::size_t messages_of_a_turn = 64;  // as a busy sender offers them

// Opens every session, takes every attach, routes nothing.
class bare_host final : public session_host {
public:
    mbus::result<opened_session> open(time_point, const connect_request&) override {
        const auto id = static_cast<std::uint64_t>(sessions.size() + 1);
        sessions.push_back(std::make_unique<broker_session>(id, std::string(43, 'a'), "uid:0", settings, *this));
        return opened_session{sessions.back().get(), false};
    }
    mbus::result<attached> attach(time_point, broker_session& session, const attach_request&) override {
        return attached{*mbus::address::parse("(app:reader id:" + std::to_string(session.id()) + "-1@127.0.0.1)"),
                        session.id()};
    }
    void detach(time_point, broker_session&, const attachment&) override {}
    mbus::result<std::uint32_t> watch(time_point, broker_session&, const watch_request&) override { return 0U; }
    void unwatch(broker_session&, const watch_request&) override {}
    route_status route(time_point, broker_session&, const routed_message&, route_report&) override {
        return route_status::routed;
    }
    mbus::result<granted> grant(time_point, broker_session&, const grant_request&) override { return granted{}; }
    mbus::result<void> revoke(time_point, broker_session&, std::string_view) override { return {}; }
    void room(broker_session&) override {}
    void ended(time_point, broker_session&, end_reason) override {}

    session_settings settings;
    std::vector<std::unique_ptr<broker_session>> sessions;
};

struct memory_port final : stream_port {
    void wake() override {}
    void read_again() override {}
    // As writev takes it all.
    std::size_t write() {
        std::size_t octets = 0;
        std::array<octet_span, 64> pieces;
        while (waiting() > 0) {
            const auto count = gather(pieces);
            std::size_t put = 0;
            for (std::size_t i = 0; i < count; ++i) put += pieces[i].size;
            benchmark::DoNotOptimize(pieces.data());
            consumed(put);
            octets += put;
        }
        return octets;
    }
};

frame_view frame_of(verb which) {
    frame_view out;
    out.verb = which;
    return out;
}

struct reader {
    reader(session_host& host, std::uint32_t window, time_point now)
        : connection(port, host, {.id = 1, .local = window == 0}, now) {
        auto connect = frame_of(verb::connect);
        connect.set(key::version, std::uint64_t{1}).set(key::window, std::uint64_t{window});
        connection.handle(now, connect);
        auto attach = frame_of(verb::attach);
        attach.set(key::request, std::uint64_t{1}).set(key::entity, std::string_view{"(app:reader)"});
        connection.handle(now, attach);
        port.write();
    }

    memory_port port;
    broker_connection connection;
    std::uint64_t delivered = 0;
};

// The argument is the window of the readers; 0 is the local binding.
void deliver_to_a_hundred(benchmark::State& state) {
    const auto window = static_cast<std::uint32_t>(state.range(0));
    const time_point now = time_point{} + std::chrono::hours{1};
    bare_host host;
    std::vector<std::unique_ptr<reader>> readers;
    for (std::size_t i = 0; i < subscribers; ++i) readers.push_back(std::make_unique<reader>(host, window, now));
    message_preparer preparer;
    const std::string body = "bench.data(\"" + std::string(242, 'x') + "\")";
    std::uint64_t delivered = 0;
    std::uint64_t allocated = 0;
    const auto turn = [&] {
        for (std::size_t n = 0; n < messages_of_a_turn; ++n) {
            const auto ready = preparer.prepare({.to = "(app:reader)", .from = "(app:sender id:1-1@127.0.0.1)", .body = body});
            for (auto& session : host.sessions) session->offer(now, ready, {.slot = 0});
        }
        for (auto& each : readers) {
            each->connection.fill(now);
            each->port.write();
            each->delivered += messages_of_a_turn;
            if (window == 0) continue;
            auto ack = frame_of(verb::ack);
            ack.number = each->delivered;
            each->connection.handle(now, ack);
        }
        delivered += messages_of_a_turn * subscribers;
    };
    turn();
    const auto before = bench::allocations();
    delivered = 0;
    for (auto _ : state) turn();
    allocated = bench::allocations() - before;
    state.SetItemsProcessed(static_cast<std::int64_t>(delivered));
    state.counters["allocations"] = static_cast<double>(allocated) / static_cast<double>(delivered);
}
BENCHMARK(deliver_to_a_hundred)->Arg(0)->Arg(4096);

}  // namespace
