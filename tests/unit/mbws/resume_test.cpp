// Exactly once, however often the connection breaks (docs/mbws.md, section 3): a client_session and
// a broker_session talk through pipes that are cut at arbitrary octets.
#include <doctest/doctest.h>

#include <rapidcheck.h>

#include <random>

#include "fixtures.hpp"

namespace mbus::mbws::testing {
namespace {

// The application: numbers what it is given, and never wants anything twice.
class recorder final : public client_handler {
public:
    void on_connected(const connected_info& info) override {
        ++connects;
        if (!info.resumed && connects > 1) ++lost_sessions;
    }
    void on_fault(const error& failure, bool) override { faults.push_back(failure.text); }
    void on_closed() override { ++closed; }
    void on_attached(std::uint32_t, std::string_view) override { ++attaches; }
    void on_watched(std::uint32_t, std::uint32_t) override {}
    void on_watch_restarted(std::uint32_t) override {}
    void on_granted(std::uint32_t, std::string_view, std::uint32_t, std::uint32_t) override {}
    void on_done(std::uint32_t) override {}
    void on_refused(std::uint32_t, const error& failure) override { faults.push_back(failure.text); }
    void on_entity(std::uint32_t, std::string_view, entity_state) override {}
    bool on_message(const delivered_message& what) override {
        bodies.emplace_back(what.body);
        if (later) held.push_back(what.number);
        return !later;
    }
    void on_missed(std::uint64_t messages) override { missed += messages; }
    void on_result(message_token token, const message_result& what) override {
        ++results[token];
        if (!what.ok) ++failures[token];
    }
    void on_taken_over(message_token up_to) override { taken_over = up_to; }
    void on_pong(std::string_view) override {}

    bool later = false;
    std::vector<std::uint64_t> held;
    std::vector<std::string> bodies;
    std::vector<std::string> faults;
    std::map<message_token, int> results;
    std::map<message_token, int> failures;
    std::uint64_t missed = 0;
    message_token taken_over = 0;
    int connects = 0;
    int closed = 0;
    int attaches = 0;
    int lost_sessions = 0;
};

// Both ends and the pipes between them.
class wire {
public:
    wire(std::uint32_t window, std::uint32_t broker_window, recorder& app, unsigned seed)
        : session({.name = "wire", .window = window, .expiry = 60}, app), random(seed) {
        host.settings.window = broker_window;
        session.attach({.entity = "(app:wire)"});
    }

    void connect() {
        now += 1ms;
        session.connect(now);
        port = std::make_unique<test_port>();
        connection = std::make_unique<broker_connection>(*port, host, connection_info{1, true}, now);
        reader = frame_reader{};
        up.clear();
        down.clear();
    }

    // The connection breaks; what is under way is lost.
    void cut() {
        if (!connection) return;
        connection->lost(now);
        connection.reset();
        session.lost(now);
    }

    // Moves at most `octets` one way, in pieces of random size.
    void move_up(std::size_t octets) {
        if (!connection) return;
        const std::string_view output = session.output();
        const std::size_t count = std::min(octets, output.size());
        const std::string piece{output.substr(0, count)};
        session.written(count);
        reader.feed(piece);
        frame_view frame;
        while (reader.next(frame) == frame_reader::status::frame) {
            REQUIRE(connection->handle(now, frame) == verdict::go_on);
        }
        REQUIRE(!reader.failed());
    }
    void move_down(std::size_t octets) {
        if (!connection) return;
        connection->fill(now);
        const std::string piece = port->take(octets);
        REQUIRE(session.receive(now, piece));
    }
    void step(std::size_t octets_max) {
        now += 1ms;
        std::uniform_int_distribution<std::size_t> size(0, octets_max);
        move_up(size(random));
        move_down(size(random));
        if (!host.sessions.empty()) host.sessions.back()->advance(now);
        session.advance(now);
    }
    broker_session* broker() { return host.sessions.empty() ? nullptr : host.sessions.back().get(); }

    test_host host;
    client_session session;
    std::unique_ptr<test_port> port;
    std::unique_ptr<broker_connection> connection;
    frame_reader reader;
    std::string up;
    std::string down;
    time_point now = start;
    std::mt19937 random;
};

struct plan {
    std::uint32_t window;
    std::uint32_t broker_window;
    std::size_t messages;
    std::size_t octets_max;  // moved per step
    unsigned cut_chance;     // one in so many steps
    bool later;              // the application takes over later
    unsigned seed;
};

std::string body_of(std::size_t number) { return "n.n(" + std::to_string(number) + ")"; }

void check_exactly_once(const plan& how) {
    CAPTURE(how.seed);
    recorder app;
    app.later = how.later;
    wire between{how.window, how.broker_window, app, how.seed};
    std::mt19937 random{how.seed + 1};
    message_preparer preparer;
    std::vector<message_token> tokens;
    std::size_t offered = 0;
    // A third of the messages want a receipt, some of which come later.
    std::vector<std::uint64_t> owed;
    for (std::size_t steps = 0; steps < 20000; ++steps) {
        if (!between.connection) between.connect();
        if (tokens.size() < how.messages && between.session.unacknowledged() < 50) {
            const auto sent = between.session.send({.to = "(app:player)",
                                                    .body = body_of(tokens.size()),
                                                    .receipt_wanted = tokens.size() % 3 == 0});
            REQUIRE(sent);
            tokens.push_back(*sent);
        }
        broker_session* const broker = between.broker();
        if (broker != nullptr && offered < how.messages && between.session.resumable() &&
            broker->find_attachment(0) != nullptr) {
            const std::string body = body_of(offered);
            const auto ready =
                preparer.prepare({.to = "()", .from = "(app:x id:1-1@127.0.0.1)", .body = body});
            REQUIRE(broker->offer(between.now, ready, {.slot = 0}) == offer_result::taken);
            ++offered;
        }
        between.host.answer = route_status::routed;
        between.step(how.octets_max);
        if (how.later && !app.held.empty() && random() % 3 == 0) {
            between.session.take_over(between.now, app.held.back());
            app.held.clear();
        }
        if (random() % how.cut_chance == 0 && offered < how.messages) between.cut();
        const bool over = tokens.size() == how.messages && offered == how.messages &&
                          between.session.unacknowledged() == 0 && between.session.open_results() == 0 &&
                          between.broker()->queued_messages() == 0;
        if (over) break;
    }
    REQUIRE(app.faults.empty());
    CHECK(app.lost_sessions == 0);
    REQUIRE(between.host.routed.size() == how.messages);
    REQUIRE(app.bodies.size() == how.messages);
    for (std::size_t i = 0; i < how.messages; ++i) {
        REQUIRE(between.host.routed[i].body == body_of(i));  // each once, in order, both ways
        REQUIRE(app.bodies[i] == body_of(i));
        REQUIRE(app.results[tokens[i]] == (i % 3 == 0 ? 1 : 0));
    }
    CHECK(app.failures.empty());
    CHECK(app.taken_over == tokens.back());
    CHECK(app.missed == 0);
    between.cut();
}

}  // namespace

TEST_CASE(
    "every message arrives exactly once and in order, both ways, across cuts at arbitrary octets (s3)") {
    unsigned seed = 1;
    for (const std::uint32_t window : {1U, 2U, 7U, 256U}) {
        for (const std::size_t octets : {7U, 60U, 700U}) {
            for (const unsigned chance : {5U, 40U}) {
                check_exactly_once({window, window == 7 ? 3 : window, 60, octets, octets == 7 ? 300 : chance,
                                    seed % 2 == 0, seed});
                ++seed;
            }
        }
    }
}

TEST_CASE("exactly once holds for windows, piece sizes and cut rates that rapidcheck chooses (s3)") {
    const bool held = rc::check([] {
        plan how{};
        how.window = *rc::gen::inRange<std::uint32_t>(1, 40);
        how.broker_window = *rc::gen::inRange<std::uint32_t>(1, 40);
        how.messages = *rc::gen::inRange<std::size_t>(1, 40);
        how.octets_max = *rc::gen::inRange<std::size_t>(30, 2000);
        how.cut_chance = *rc::gen::inRange<unsigned>(4, 60);
        how.later = *rc::gen::arbitrary<bool>();
        how.seed = *rc::gen::arbitrary<unsigned>();
        check_exactly_once(how);
    });
    CHECK(held);
}

TEST_CASE("a connection that is cut at each single octet of an exchange resumes where it stopped (s3)") {
    for (std::size_t cut = 0;; ++cut) {
        recorder app;
        wire between{4, 4, app, 1};
        between.connect();
        for (int i = 0; i < 6; ++i) {
            REQUIRE(between.session.send(
                {.to = "()", .body = body_of(static_cast<std::size_t>(i)), .receipt_wanted = true}));
        }
        std::size_t moved = 0;
        bool reached = false;
        // One octet at a time each way until the cut; then without limits.
        for (int steps = 0; steps < 4000 && app.results.size() < 6; ++steps) {
            between.now += 1ms;
            const std::size_t step = reached ? 100000 : 1;
            between.move_up(step);
            between.move_down(step);
            if (between.broker() != nullptr) between.broker()->advance(between.now);
            between.session.advance(between.now);
            if (!reached && moved++ == cut) {
                between.cut();
                between.connect();
                reached = true;
            }
        }
        REQUIRE(app.faults.empty());
        REQUIRE(between.host.routed.size() == 6);
        REQUIRE(app.results.size() == 6);
        for (const auto& [token, count] : app.results) REQUIRE(count == 1);
        between.cut();
        if (!reached) break;
        REQUIRE(cut < 5000);
    }
}

}  // namespace mbus::mbws::testing
