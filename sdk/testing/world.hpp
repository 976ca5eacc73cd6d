// The world of an in-process bus: its clock, its hosts, the wire between them, and the connections
// of the test.
// Thread-safety: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/testing.hpp>

#include "protocol/time.hpp"

namespace mbus::testing::detail {

class host;
class memory_link;

// For transmit(): the group. Hosts count from 1.
inline constexpr std::uint16_t every_host = 0;

class world {
public:
    explicit world(std::uint64_t seed);
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world();

    [[nodiscard]] clock::time_point now() const noexcept { return now_; }
    [[nodiscard]] protocol::instant instant() const noexcept;
    [[nodiscard]] std::uint64_t random() { return random_(); }
    [[nodiscard]] bool chance(double probability);

    host& find_host(std::string_view name);
    void add(memory_link& client) { clients_.push_back(&client); }
    void remove(memory_link& client) { std::erase(clients_, &client); }

    void advance(std::chrono::milliseconds time);
    // Everything that can happen now; `except` runs itself.
    void settle(const memory_link* except = nullptr);
    // Until there is something for this link, or `until`.
    void wait(memory_link& who, clock::time_point until);

    // All daemons go.
    void shut_down();

    // A datagram from a host: to every other one, or to the one with this port.
    void transmit(host& from, std::string_view datagram, std::uint16_t port_or_all);

    double loss = 0;
    double duplication = 0;
    std::chrono::microseconds delay{1000};
    std::chrono::microseconds spread{0};
    wire_counters counters;

private:
    struct travelling {
        host* to = nullptr;
        std::uint16_t from_port = 0;
        std::string datagram;
    };

    [[nodiscard]] clock::time_point next_deadline(const memory_link* except) const;
    bool turn(const memory_link* except);
    bool arrive();
    void send_one(host& from, host& to, std::string_view datagram);

    clock::time_point now_;
    std::mt19937_64 random_;
    std::vector<std::unique_ptr<host>> hosts_;
    std::vector<memory_link*> clients_;
    std::multimap<clock::time_point, travelling> wire_;
};

}  // namespace mbus::testing::detail
