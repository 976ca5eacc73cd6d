#include "world.hpp"

#include <algorithm>

#include "host.hpp"
#include "memory_link.hpp"

namespace mbus::testing::detail {
namespace {

// Any fixed moment does; this one reads well in a debugger.
constexpr std::uint64_t wall_start_ms = 1'600'000'000'000;
constexpr auto clock_start = clock::time_point{} + std::chrono::hours{1};
// A wait without limit in which nothing comes for so long will never end.
constexpr std::chrono::hours patience{1};
// A test in which so much happens at one moment goes round in circles.
constexpr int turns_at_once_max = 100'000;

}  // namespace

world::world(std::uint64_t seed) : now_(clock_start), random_(seed) {}

world::~world() = default;

protocol::instant world::instant() const noexcept {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now_ - clock_start).count();
    return {now_, wall_start_ms + static_cast<std::uint64_t>(since)};
}

bool world::chance(double probability) {
    // 53 bits, the same on every platform, unlike std::uniform_real_distribution.
    return static_cast<double>(random_() >> 11) * 0x1.0p-53 < probability;
}

host& world::find_host(std::string_view name) {
    for (const auto& one : hosts_) {
        if (one->name() == name) return *one;
    }
    const auto number = static_cast<std::uint16_t>(hosts_.size() + 1);
    hosts_.push_back(std::make_unique<host>(*this, std::string{name}, number));
    return *hosts_.back();
}

void world::advance(std::chrono::milliseconds time) {
    const auto end = now_ + time;
    settle();
    for (auto next = next_deadline(nullptr); next <= end; next = next_deadline(nullptr)) {
        now_ = std::max(now_, next);
        settle();
    }
    now_ = end;
    settle();
}

void world::settle(const memory_link* except) {
    for (int i = 0; i < turns_at_once_max && turn(except); ++i) {
    }
}

bool world::turn(const memory_link* except) {
    bool busy = arrive();
    for (const auto& one : hosts_) busy = one->turn() || busy;
    // Handlers may make and end connections.
    const auto present = clients_;
    for (auto* client : present) {
        if (client == except || std::ranges::find(clients_, client) == clients_.end()) continue;
        if (!client->driver.ready || !client->driver.ready()) continue;
        if (client->has_input() || client->driver.deadline() <= now_ || client->driver.has_output()) {
            client->driver.turn();
            busy = true;
        }
    }
    return busy;
}

bool world::arrive() {
    bool any = false;
    while (!wire_.empty() && wire_.begin()->first <= now_) {
        const auto what = std::move(wire_.extract(wire_.begin()).mapped());
        what.to->receive(what.datagram, what.from_port);
        any = true;
    }
    return any;
}

clock::time_point world::next_deadline(const memory_link* except) const {
    auto next = mbus::detail::never;
    if (!wire_.empty()) next = wire_.begin()->first;
    for (const auto& one : hosts_) next = std::min(next, one->next_deadline());
    for (const auto* client : clients_) {
        if (client != except && client->driver.ready && client->driver.ready()) {
            next = std::min(next, client->driver.deadline());
        }
    }
    return next;
}

void world::wait(memory_link& who, clock::time_point until) {
    const auto started = now_;
    for (;;) {
        settle(&who);
        if (who.has_input() || now_ >= until) return;
        const auto next = std::min(next_deadline(&who), until);
        if (next - started >= patience) {
            // Whoever asked for more time than that gets it in pieces, or has no limit at all.
            if (until != mbus::detail::never) {
                now_ = std::max(now_, std::min(until, started + patience));
                settle(&who);
                return;
            }
            who.give_up();
            return;
        }
        now_ = std::max(now_, next);
    }
}

void world::shut_down() {
    for (const auto& one : hosts_) one->kill();
    wire_.clear();
}

void world::transmit(host& from, std::string_view datagram, std::uint16_t port_or_all) {
    for (const auto& one : hosts_) {
        if (one.get() == &from) continue;
        if (port_or_all == every_host || port_or_all == one->port()) send_one(from, *one, datagram);
    }
}

void world::send_one(host& from, host& to, std::string_view datagram) {
    ++counters.datagrams;
    if (!from.plugged || !to.plugged || chance(loss)) {
        ++counters.lost;
        return;
    }
    const int copies = chance(duplication) ? 2 : 1;
    counters.duplicated += static_cast<std::uint64_t>(copies - 1);
    for (int i = 0; i < copies; ++i) {
        auto travel = delay;
        if (spread.count() > 0) travel += std::chrono::microseconds{random_() % static_cast<std::uint64_t>(spread.count())};
        wire_.emplace(now_ + travel, travelling{&to, from.port(), std::string{datagram}});
    }
}

}  // namespace mbus::testing::detail
