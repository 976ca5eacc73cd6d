// What a program's sends do while the daemon reads slower than they come: not every one tries to write.
#include "fixture.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mbws/frame.hpp"
#include "mbws/frame_reader.hpp"
#include "virtual_link.hpp"

namespace {

namespace detail = mbus::detail;
namespace mbws = mbus::mbws;

// A daemon that reads when the test says so.
struct slow_daemon {
    mbus::clock::time_point now{};
    std::size_t room = SIZE_MAX;  // octets that it takes from now on
    int writes = 0;               // attempts to hand it octets
    bool output_watched = false;
    bool broken = false;
    std::vector<std::string> bodies;  // of the messages that it read
    std::string to_client;
    mbws::frame_reader from_client{};

    void take(std::string_view octets) {
        from_client.feed(octets);
        mbws::frame_view frame;
        while (from_client.next(frame) == mbws::frame_reader::status::frame) answer(frame);
        REQUIRE_FALSE(from_client.failed());
    }

private:
    void answer(const mbws::frame_view& what) {
        mbws::frame_view frame;
        if (what.verb == mbws::verb::connect) {
            frame.verb = mbws::verb::connected;
            frame.set(mbws::key::version, std::uint64_t{1});
            frame.set(mbws::key::session, "0123456789abcdef0123456789abcdef");
            frame.set(mbws::key::resumed, std::uint64_t{0}).set(mbws::key::received, std::uint64_t{0});
            frame.set(mbws::key::window, std::uint64_t{0});
            frame.set(mbws::key::size, std::uint64_t{mbws::frame_octets_default});
        } else if (what.verb == mbws::verb::attach) {
            frame.verb = mbws::verb::ok;
            frame.set(mbws::key::request, what.integer(mbws::key::request));
            frame.set(mbws::key::entity, "(app:a id:1-1@h)");
        } else {
            bodies.emplace_back(what.body);
            return;
        }
        REQUIRE(mbws::append_frame(to_client, frame));
    }
};

class slow_link final : public detail::virtual_link<slow_daemon> {
public:
    using virtual_link::virtual_link;

    mbus::result<void> open() override { return {}; }
    void close() noexcept override {
        daemon_.broken = false;
        daemon_.from_client = mbws::frame_reader{};
    }
    detail::io_outcome write(std::string_view frames) override {
        ++daemon_.writes;
        const auto count = std::min(frames.size(), daemon_.room);
        daemon_.room -= count;
        daemon_.take(frames.substr(0, count));
        return {count, false};
    }
    void watch_output(bool wanted) override { daemon_.output_watched = wanted; }
};

// A program with one entity at a daemon that reads nothing more from now on.
struct sender {
    slow_daemon daemon;
    detail::driver driver;
    mbus::connection connection =
        detail::connect_over(std::make_unique<slow_link>(daemon), {.flush_limit = 0ms}, driver);
    mbus::entity me = program::attach(connection, "app:a");

    sender() {
        daemon.room = 0;
        daemon.writes = 0;
    }
    void send(int count = 1) {
        for (int i = 0; i < count; ++i) REQUIRE(me.send("app:b", {"x.count", {sent++}}));
    }
    // What the daemon read is what was sent, in order.
    void check_order() const {
        REQUIRE(daemon.bodies.size() == static_cast<std::size_t>(sent));
        for (int i = 0; i < sent; ++i)
            CHECK(daemon.bodies[static_cast<std::size_t>(i)] == "x.count(" + std::to_string(i) + ")");
    }
    int sent = 0;
};

constexpr int octets_of_a_frame = 16;  // at least
constexpr int frames_of_64_kb = 64 * 1024 / octets_of_a_frame;

}  // namespace

TEST_CASE("given a daemon that reads at once then every send is one write") {
    sender program;
    program.daemon.room = SIZE_MAX;
    program.send(3);
    CHECK(program.daemon.writes == 3);
    program.check_order();
    CHECK_FALSE(program.daemon.output_watched);
}

TEST_CASE(
    "given a daemon that reads nothing then the first send tries, and the next one a millisecond later") {
    sender program;
    program.send(100);
    CHECK(program.daemon.writes == 1);
    CHECK(program.daemon.output_watched);  // a program that waits hears of room
    program.daemon.now += 999us;
    program.send(100);
    CHECK(program.daemon.writes == 1);
    program.daemon.now += 1us;
    program.send(100);
    CHECK(program.daemon.writes == 2);
}

TEST_CASE("given 64 KB more than at the last attempt then a send tries at once") {
    sender program;
    program.send();
    REQUIRE(program.daemon.writes == 1);
    program.send(frames_of_64_kb);
    CHECK(program.daemon.writes >= 2);
    CHECK(program.daemon.writes <= 10);
}

TEST_CASE("given room again then the next turn writes all in order, and sends write at once again") {
    sender program;
    program.send(100);
    program.daemon.room = SIZE_MAX;
    program.driver.turn();
    program.check_order();
    CHECK_FALSE(program.daemon.output_watched);
    CHECK_FALSE(program.driver.has_output());

    REQUIRE(program.connection.run_for(0ms));  // no longer run by the driver, whose turns write
    program.daemon.writes = 0;
    program.send(2);
    CHECK(program.daemon.writes == 2);
    program.check_order();
}

TEST_CASE("given a program with a loop of its own then sends leave the writing to its next turn") {
    sender program;
    program.driver.turn();
    program.daemon.room = SIZE_MAX;
    program.send(100);
    CHECK(program.daemon.writes == 0);
    CHECK(program.daemon.output_watched);
    program.driver.turn();
    CHECK(program.daemon.writes == 1);
    program.check_order();
}

TEST_CASE("given room in the middle of a frame then the rest of it comes first") {
    sender program;
    program.daemon.room = octets_of_a_frame + 5;
    program.send(2);
    CHECK(program.daemon.bodies.empty());
    program.daemon.room = SIZE_MAX;
    program.daemon.now += 1ms;
    program.send();
    program.check_order();
}

TEST_CASE("given a batch then its end does not try either within the millisecond, but all goes out later") {
    sender program;
    program.send();
    {
        const auto together = program.connection.batch();
        program.daemon.now += 1ms;
        program.send(100);
        CHECK(program.daemon.writes == 1);  // its end writes
    }
    CHECK(program.daemon.writes == 2);
    {
        const auto together = program.connection.batch();
        program.send(100);
    }
    CHECK(program.daemon.writes == 2);
    program.daemon.room = SIZE_MAX;
    REQUIRE(program.connection.run_for(0ms));
    program.check_order();
}

TEST_CASE("given a new connection then it is written to at once, whatever the old one took") {
    sender program;
    program.send();
    REQUIRE(program.daemon.writes == 1);
    program.daemon.broken = true;
    program.daemon.room = SIZE_MAX;
    REQUIRE(program.connection.run_for(0ms));
    CHECK(program.connection.state() == mbus::connection_state::connecting);
    const auto before = program.daemon.now;
    REQUIRE(program.connection.run_for(1s));
    CHECK(program.connection.state() == mbus::connection_state::connected);
    CHECK(program.daemon.now > before);
    const auto writes = program.daemon.writes;
    program.send();
    CHECK(program.daemon.writes == writes + 1);
}
