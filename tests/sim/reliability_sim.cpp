// Reliable messages on a network that loses, duplicates and reorders (RFC 3259, section 7): each
// ends exactly once, is delivered at most once, and what was acknowledged was delivered.
#include <map>
#include <set>

#include "sim/seeds.hpp"
#include "support/bus_lab.hpp"

using namespace mbus;
using namespace mbus::lab;
using namespace std::chrono_literals;

namespace {

struct tally {
    std::size_t accepted = 0;
    std::size_t acknowledged = 0;
    std::size_t failed = 0;
    std::map<protocol::send_token, int> reported;
    std::map<std::string, int> delivered;  // by payload, which names its token
    std::map<protocol::send_token, std::string> text;
};

std::string payload_of(protocol::send_token token) { return "sim.count(" + std::to_string(token) + ")\r\n"; }

void listen(station& it, tally& seen) {
    it.recording = false;
    it.on_deliver = [&seen](entity_handle, const std::shared_ptr<const protocol::inbound>& what) {
        ++seen.delivered[what->payload];
    };
    it.on_sent = [&seen](const protocol::send_report& report) {
        ++seen.reported[report.token];
        ++(report.acknowledged ? seen.acknowledged : seen.failed);
        if (report.acknowledged) CHECK(seen.delivered[payload_of(report.token)] == 1);
    };
}

// `count` reliable messages between random entities of `nodes` nodes.
tally run(std::uint64_t seed, const conditions& network, std::size_t nodes, std::size_t count) {
    bus_lab lab{{.seed = seed, .network = {}, .capture = false}};
    protocol::random_source random{seed + 1};
    tally seen;
    std::vector<entity_handle> entities;
    for (std::size_t index = 0; index < nodes; ++index) {
        auto& it = lab.add();
        listen(it, seen);
        entities.push_back(it.attach("(sim:" + std::to_string(index) + ")"));
    }
    lab.run_for(2500ms);  // everybody knows everybody
    lab.network() = network;
    for (protocol::send_token token = 1; token <= count; ++token) {
        const auto from = random.next() % nodes;
        auto to = random.next() % nodes;
        if (to == from) to = (to + 1) % nodes;
        if (lab.at(from).send(entities[from], "(sim:" + std::to_string(to) + ")", payload_of(token), true,
                              token))
            ++seen.accepted;
        lab.run_for(std::chrono::milliseconds{random.next() % 8});
    }
    lab.run_for(2s);
    return seen;
}

// Two nodes that know each other; (sim:a) on the first sends to (sim:b) on the second.
struct two_nodes {
    explicit two_nodes(std::uint64_t seed) : lab{{.seed = seed, .network = {}, .capture = false}} {
        listen(a, seen);
        listen(b, seen);
        from = a.attach("(sim:a)");
        b.attach("(sim:b)");
        lab.run_for(2500ms);
    }
    void send(protocol::send_token token) {
        if (a.send(from, "(sim:b)", payload_of(token), true, token)) ++seen.accepted;
    }

    bus_lab lab;
    tally seen;
    station& a = lab.add();
    station& b = lab.add();
    entity_handle from{};
};

void check_promises(const tally& seen) {
    CHECK(seen.acknowledged + seen.failed == seen.accepted);
    CHECK(seen.reported.size() == seen.accepted);
    for (const auto& [token, times] : seen.reported) CHECK(times == 1);
    for (const auto& [text, times] : seen.delivered) CHECK(times <= 1);
}

}  // namespace

TEST_CASE("without faults every reliable message is acknowledged") {
    for (const auto seed : seeds(2)) {
        announce("no faults", seed);
        const auto seen = run(seed, {.delay_min = 1ms, .delay_max = 3ms}, 6, 500);
        check_promises(seen);
        CHECK(seen.accepted == 500);
        CHECK(seen.failed == 0);
    }
}

TEST_CASE("10 % loss, duplication, reordering: at least 99 % get through, none twice") {
    for (const auto seed : seeds(3)) {
        announce("10 % loss", seed);
        const auto seen =
            run(seed, {.loss = 0.1, .duplication = 0.1, .delay_min = 0ms, .delay_max = 20ms}, 4, 1000);
        check_promises(seen);
        CHECK(seen.accepted >= 990);
        CHECK(seen.acknowledged * 100 >= seen.accepted * 99);
    }
}

TEST_CASE("30 % loss: at least 90 % get through, every other one is reported, none twice") {
    for (const auto seed : seeds(3)) {
        announce("30 % loss", seed);
        const auto seen =
            run(seed, {.loss = 0.3, .duplication = 0.2, .delay_min = 0ms, .delay_max = 50ms}, 4, 1000);
        check_promises(seen);
        CHECK(seen.acknowledged * 100 >= seen.accepted * 90);
    }
}

TEST_CASE("receivers that refuse now and then: what they refused is not acknowledged as taken") {
    for (const auto seed : seeds(2)) {
        announce("full queues", seed);
        two_nodes both{seed};
        protocol::random_source random{seed};
        for (protocol::send_token token = 1; token <= 300; ++token) {
            both.b.taking = random.fraction() < 0.5;
            both.send(token);
            both.lab.run_for(15ms);
        }
        both.lab.run_for(2s);
        check_promises(both.seen);
        CHECK(both.seen.acknowledged > 150);
    }
}

TEST_CASE("a partition fails what is on its way, once; afterwards everything works again") {
    for (const auto seed : seeds(2)) {
        announce("partition", seed);
        two_nodes both{seed};
        both.b.partition = 1;
        for (protocol::send_token token = 1; token <= 100; ++token) both.send(token);
        both.lab.run_for(7s);
        CHECK(both.seen.failed == 100);
        CHECK(both.a.node.entities() == 1);
        both.b.partition = 0;
        both.lab.run_for(2s);
        for (protocol::send_token token = 101; token <= 200; ++token) both.send(token);
        both.lab.run_for(2s);
        check_promises(both.seen);
        CHECK(both.seen.acknowledged == 100);
    }
}
