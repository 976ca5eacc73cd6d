// Messages like the one before, in both directions: they take a shorter way through the SDK, and nothing else may
// tell them from others.
#include "fixture.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mbws/address_numbers.hpp"
#include "mbws/frame.hpp"
#include "mbws/frame_reader.hpp"
#include "virtual_link.hpp"

namespace {

namespace detail = mbus::detail;
namespace mbws = mbus::mbws;
using mbus::errc;
using mbws::key;
using strings = std::vector<std::string>;

// A daemon that writes down what it reads, and says what the test wants.
struct scripted_daemon {
    mbus::clock::time_point now{};
    std::uint16_t addresses = mbws::addresses_of_client;  // remembered of the program's; 0: an older daemon
    bool broken = false;
    strings heard{};        // messages: "TO: BODY" and what else they say
    std::size_t octets = 0; // that were read
    std::string to_client{};
    int connections = 0;
    int attaches = 0;
    mbws::frame_reader from_client{};

    void opened() {
        ++connections;
        broken = false;
        to_client.clear();
        from_client = mbws::frame_reader{};
        from_client.remember(addresses);
    }
    void take(std::string_view input) {
        octets += input.size();
        from_client.feed(input);
        mbws::frame_view frame;
        while (from_client.next(frame) == mbws::frame_reader::status::frame) answer(frame);
        REQUIRE_FALSE(from_client.failed());
    }

private:
    void answer(const mbws::frame_view& what) {
        mbws::frame_view frame;
        std::string entity;
        if (what.verb == mbws::verb::connect) {
            frame.verb = mbws::verb::connected;
            frame.set(key::version, std::uint64_t{1}).set(key::session, "0123456789abcdef0123456789abcdef");
            frame.set(key::resumed, std::uint64_t{0}).set(key::received, std::uint64_t{0}).set(key::window, std::uint64_t{0});
            frame.set(key::size, std::uint64_t{mbws::frame_octets_default});
            if (addresses != 0) frame.set(key::addresses, std::uint64_t{addresses});
        } else if (what.verb == mbws::verb::attach) {
            entity = "(app:e id:" + std::to_string(++attaches) + "-1@h)";
            frame.verb = mbws::verb::ok;
            frame.set(key::request, what.integer(key::request)).set(key::entity, entity);
        } else if (what.verb == mbws::verb::message) {
            std::string line = std::string{what.text(key::to)} + ": " + std::string{what.body};
            for (const auto each : {key::from, key::type}) {
                if (what.has(each)) line += ' ' + std::string{what.text(each)};
            }
            if (what.has(key::ttl)) line += " ttl " + std::to_string(what.integer(key::ttl));
            if (what.reliable()) line += " reliable";
            if (what.receipt_wanted()) line += " receipt";
            heard.push_back(std::move(line));
            return;
        } else {
            return;
        }
        REQUIRE(mbws::append_frame(to_client, frame));
    }
};

class scripted_link final : public detail::virtual_link<scripted_daemon> {
public:
    using virtual_link::virtual_link;

    mbus::result<void> open() override {
        daemon_.opened();
        return {};
    }
    void close() noexcept override { daemon_.broken = false; }
    detail::io_outcome write(std::string_view frames) override {
        daemon_.take(frames);
        return {frames.size(), false};
    }
};

// A program with one entity.
struct lone_program {
    scripted_daemon daemon;
    detail::driver driver;
    mbus::connection connection;
    mbus::entity me;

    explicit lone_program(std::uint16_t addresses = mbws::addresses_of_client)
        : daemon{.addresses = addresses},
          connection(detail::connect_over(std::make_unique<scripted_link>(daemon), {.flush_limit = 0ms}, driver)),
          me(program::attach(connection, "app:a")) {}

    // What the daemon has read since the last call.
    strings heard() { return std::exchange(daemon.heard, {}); }
    void run() { REQUIRE(connection.run_for(0ms)); }
};

// A delivery in the words of the daemon.
struct delivery {
    std::string_view to = "(app:a)";
    std::string_view from = "(app:x id:9-1@h)";
    std::string_view entity{};
    std::string_view type{};
    std::uint64_t time = 5;
    std::uint8_t flags = 0;
    std::uint64_t missed = 0;

    [[nodiscard]] std::string frame(std::string_view body) const {
        std::string out;
        mbws::frame_writer writer{out, mbws::verb::message, flags};
        writer.set_if(key::entity, entity).set(key::to, to).set(key::from, from).set_if(key::type, type).set(key::time, time);
        writer.set_if(key::missed, missed);
        REQUIRE(writer.finish(body));
        return out;
    }
};

std::string line_of(const mbus::received_message& what) {
    std::string line = std::string{what.from.text()} + " -> " + std::string{what.to.text()} + ": " + what.body;
    if (!what.type.empty()) line += ' ' + what.type;
    if (what.redelivered) line += " again";
    if (what.reliable) line += " reliable";
    for (const auto& one : what.commands()) line += " (" + one.name + ')';
    return line + " at " + std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(what.time.time_since_epoch()).count());
}

}  // namespace

// --- what comes ------------------------------------------------------------------------------------

TEST_CASE("given messages with one header then each shows its own body and commands") {
    lone_program program;
    strings seen;
    program.me.on_message([&](const mbus::received_message& what) { seen.push_back(line_of(what)); });
    const delivery way;
    program.daemon.to_client = way.frame("x.one()") + way.frame("x.two()\r\nx.three()") + way.frame("") + way.frame("x.four()");
    program.run();
    const std::string begin = "(app:x id:9-1@h) -> (app:a): ";
    CHECK(seen == strings{begin + "x.one() (x.one) at 5", begin + "x.two()\r\nx.three() (x.two) (x.three) at 5", begin + " at 5",
                          begin + "x.four() (x.four) at 5"});
}

TEST_CASE("given headers that change and come back then each message is described by its own") {
    lone_program program;
    strings seen;
    program.me.on_message([&](const mbus::received_message& what) { seen.push_back(line_of(what)); });
    const delivery plain;
    const delivery later{.time = 6};
    const delivery other{.from = "(app:y id:8-1@h)"};
    const delivery reliable{.flags = mbws::flag::reliable};
    const delivery typed{.type = "text/plain"};
    strings expected;
    for (const auto* way : {&plain, &plain, &later, &later, &plain, &other, &other, &reliable, &reliable, &plain, &typed, &typed, &plain}) {
        const std::string body = "x.n" + std::to_string(expected.size()) + "()";
        program.daemon.to_client += way->frame(body);
        std::string line = std::string{way->from} + " -> (app:a): " + body;
        if (!way->type.empty()) line += " text/plain";
        if (way->flags != 0) line += " reliable";
        if (way->type.empty()) line += " (" + body.substr(0, body.size() - 2) + ')';
        expected.push_back(line + " at " + std::to_string(way->time));
    }
    program.run();
    CHECK(seen == expected);
}

TEST_CASE("given a handler that keeps copies then they stay what they were") {
    lone_program program;
    std::vector<mbus::received_message> kept;
    program.me.on_message([&](const mbus::received_message& what) { kept.push_back(what); });
    const delivery way;
    const delivery other{.from = "(app:y id:8-1@h)"};
    program.daemon.to_client = way.frame("x.one()") + way.frame("x.two()") + other.frame("x.three()") + other.frame("x.four()");
    program.run();
    REQUIRE(kept.size() == 4);
    CHECK(line_of(kept[0]) == "(app:x id:9-1@h) -> (app:a): x.one() (x.one) at 5");
    CHECK(line_of(kept[1]) == "(app:x id:9-1@h) -> (app:a): x.two() (x.two) at 5");
    CHECK(line_of(kept[2]) == "(app:y id:8-1@h) -> (app:a): x.three() (x.three) at 5");
    CHECK(line_of(kept[3]) == "(app:y id:8-1@h) -> (app:a): x.four() (x.four) at 5");
    CHECK(kept[3].entity == program.me.address());
}

TEST_CASE("given receive() and handlers in turn then messages that were moved out leave nothing behind") {
    lone_program program;
    const delivery way;
    strings seen;
    const auto take = [&] {
        const auto got = program.me.receive(0ms);
        REQUIRE(got);
        CHECK(got->entity == program.me.address());
        seen.push_back(line_of(*got));
    };
    program.daemon.to_client = way.frame("x.one()") + way.frame("x.two()") + way.frame("x.three()");
    take();
    take();
    program.me.on_message([&](const mbus::received_message& what) {
        CHECK(what.entity == program.me.address());
        seen.push_back(line_of(what));
    });
    program.run();
    program.daemon.to_client = way.frame("x.four()") + way.frame("x.five()");
    program.run();
    program.me.on_message(nullptr);
    program.daemon.to_client = way.frame("x.six()") + way.frame("x.seven()");
    auto waiting = program.me.receive();
    program.run();
    const auto first = waiting.wait();
    REQUIRE(first);
    seen.push_back(line_of(*first));
    take();
    strings expected;
    for (const char* name : {"x.one", "x.two", "x.three", "x.four", "x.five", "x.six", "x.seven"}) {
        expected.push_back("(app:x id:9-1@h) -> (app:a): " + std::string{name} + "() (" + name + ") at 5");
    }
    CHECK(seen == expected);
}

TEST_CASE("given two entities then each gets its own, however headers repeat") {
    lone_program program;
    auto second = program::attach(program.connection, "app:b");
    strings seen;
    const auto handler = [&](const mbus::received_message& what) { seen.push_back(std::string{what.entity.text()} + ' ' + what.body); };
    program.me.on_message(handler);
    second.on_message(handler);
    const std::string one{program.me.address().text()};
    const std::string two{second.address().text()};
    const delivery to_one{.entity = one};
    const delivery to_two{.entity = two};
    const delivery to_gone{.entity = "(app:gone id:7-1@h)"};
    program.daemon.to_client = to_one.frame("a()") + to_one.frame("b()") + to_two.frame("c()") + to_two.frame("d()") + to_gone.frame("e()") +
                               to_gone.frame("f()") + to_two.frame("g()") + to_one.frame("h()") + to_one.frame("i()");
    program.run();
    CHECK(seen == strings{one + " a()", one + " b()", two + " c()", two + " d()", two + " g()", one + " h()", one + " i()"});
}

TEST_CASE("given a handler that throws, or looks for more input itself, then the next messages are whole") {
    lone_program program;
    strings seen;
    bool fail = true;
    bool nested = true;
    program.me.on_message([&](const mbus::received_message& what) {
        seen.push_back(line_of(what));
        if (std::exchange(fail, false)) throw std::runtime_error{"not now"};
        if (std::exchange(nested, false)) static_cast<void>(program.connection.process());
        CHECK(seen.back().find("at 5") != std::string::npos);
    });
    const delivery way;
    const delivery other{.from = "(app:y id:8-1@h)"};
    program.daemon.to_client = way.frame("a()") + way.frame("b()") + way.frame("c()") + other.frame("d()") + other.frame("e()") + way.frame("f()");
    CHECK_THROWS_AS(static_cast<void>(program.connection.run_for(0ms)), std::runtime_error);
    program.run();
    REQUIRE(seen.size() == 6);
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const std::string name(1, static_cast<char>('a' + i));
        const std::string from = name == "d" || name == "e" ? "(app:y id:8-1@h)" : "(app:x id:9-1@h)";
        CHECK(std::ranges::count(seen, from + " -> (app:a): " + name + "() (" + name + ") at 5") == 1);
    }
}

TEST_CASE("given a handler that puts another in its place then the rest of the messages goes there") {
    lone_program program;
    strings seen;
    program.me.on_message([&](const mbus::received_message& what) {
        seen.push_back("first " + what.body);
        if (what.body != "b()") return;
        program.me.on_message([&](const mbus::received_message& next) {
            seen.push_back("second " + next.body);
            if (next.body == "d()") program.me.on_message(nullptr);
        });
    });
    const delivery way;
    for (const char* body : {"a()", "b()", "c()", "d()", "e()", "f()"})
        program.daemon.to_client += way.frame(body);
    program.run();
    CHECK(seen == strings{"first a()", "first b()", "second c()", "second d()"});
    for (const char* body : {"e()", "f()"}) {
        const auto kept = program.me.receive(0ms);
        REQUIRE(kept);
        CHECK(kept->body == body);
    }
}

TEST_CASE("given a handler that looks for more input with each message then each comes once and in order") {
    lone_program program;
    strings seen;
    program.me.on_message([&](const mbus::received_message& what) {
        const std::string body = what.body;
        seen.push_back(body);
        static_cast<void>(program.connection.process());
        CHECK(what.body == body);  // its own message stays what it was
    });
    const delivery way;
    const delivery other{.from = "(app:y id:8-1@h)"};
    program.daemon.to_client = way.frame("a()") + way.frame("b()") + way.frame("c()") + other.frame("d()") +
                               other.frame("e()") + way.frame("f()");
    program.run();
    CHECK(seen == strings{"a()", "b()", "c()", "d()", "e()", "f()"});
}

TEST_CASE("given a handler that asks somebody then an answer in the same read is the answer, and no message") {
    strings seen;
    std::string answer;
    lone_program program;
    const delivery way;
    program.me.on_message([&](const mbus::received_message& what) {
        seen.push_back(what.body);
        if (what.body != "b()") return;
        program.me.request("(app:x id:9-1@h)", {"x.ask", {}}, 1s).then([&](const mbus::result<mbus::reply>& got) {
            answer = got ? got->text : describe(got.error());
        });
    });
    program.daemon.to_client = way.frame("a()") + way.frame("b()") + way.frame("c()");
    program.run();
    const auto asked = program.heard();
    REQUIRE(asked.size() == 1);
    const auto id = asked.front().substr(asked.front().find("\"ID\" \"") + 6);
    program.daemon.to_client = way.frame("d()") + way.frame("e()") +
                               way.frame("x.ask.return (((\"ID\" \"" + id.substr(0, id.find('"')) +
                                         "\") (\"RPC-STATUS\" \"OK\")) ((OK OK \"fine\") ()))") +
                               way.frame("f()");
    program.run();
    CHECK(answer == "fine");
    CHECK(seen == strings{"a()", "b()", "c()", "d()", "e()", "f()"});
}

TEST_CASE("given a handler that throws or detaches in the midst of messages then the next are whole, or for nobody") {
    for (const std::string at : {"a()", "b()", "c()"}) {
        for (const bool detaches : {false, true}) {
            CAPTURE(at);
            CAPTURE(detaches);
            strings seen;
            lone_program program;
            program.me.on_message([&](const mbus::received_message& what) {
                seen.push_back(line_of(what));
                if (what.body != at) return;
                if (!detaches) throw std::runtime_error{"not now"};
                static_cast<void>(program.me.detach());
            });
            const delivery way;
            program.daemon.to_client = way.frame("a()") + way.frame("b()") + way.frame("c()") + way.frame("d()");
            if (detaches) {
                program.run();
            } else {
                CHECK_THROWS_AS(static_cast<void>(program.connection.run_for(0ms)), std::runtime_error);
                program.run();
            }
            strings expected;
            for (const std::string body : {"a()", "b()", "c()", "d()"}) {
                expected.push_back("(app:x id:9-1@h) -> (app:a): " + body + " (" + body.substr(0, 1) + ") at 5");
                if (detaches && body == at) break;
            }
            CHECK(seen == expected);
        }
    }
}

TEST_CASE("given a handler that closes the connection in the midst of messages then what was read comes once, while it waits") {
    strings seen;
    lone_program program;
    program.me.on_message([&](const mbus::received_message& what) {
        seen.push_back(what.body);
        if (what.body == "b()") static_cast<void>(program.connection.close(0ms));
    });
    const delivery way;
    program.daemon.to_client = way.frame("a()") + way.frame("b()") + way.frame("c()") + way.frame("d()");
    static_cast<void>(program.connection.run_for(0ms));
    CHECK(seen == strings{"a()", "b()", "c()", "d()"});
}

TEST_CASE("given messages that tell of lost ones then each of them counts") {
    lone_program program;
    strings seen;
    program.me.on_message([&](const mbus::received_message& what) { seen.push_back(what.body); });
    const delivery way;
    const delivery after_loss{.missed = 2};
    program.daemon.to_client = way.frame("a()") + after_loss.frame("b()") + after_loss.frame("c()") +
                               after_loss.frame("d()") + way.frame("e()");
    program.run();
    CHECK(seen == strings{"a()", "b()", "c()", "d()", "e()"});
    CHECK(program.connection.missed() == 6);
}

TEST_CASE("given an entity that its handler detaches then the rest of the read is for nobody") {
    lone_program program;
    auto second = program::attach(program.connection, "app:b");
    strings seen;
    program.me.on_message([&](const mbus::received_message& what) {
        seen.push_back(what.body);
        static_cast<void>(program.me.detach());
    });
    second.on_message([&](const mbus::received_message& what) {
        CHECK(what.entity == second.address());
        seen.push_back(what.body);
    });
    const std::string one{program.me.address().text()};
    const std::string two{second.address().text()};
    const delivery to_one{.entity = one};
    const delivery to_two{.entity = two};
    program.daemon.to_client = to_one.frame("a()") + to_one.frame("b()") + to_two.frame("c()") + to_two.frame("d()");
    program.run();
    CHECK(seen == strings{"a()", "c()", "d()"});
}

// --- what goes -------------------------------------------------------------------------------------

TEST_CASE("given sends to one destination then its address goes out once, and each message arrives whole") {
    lone_program program;
    strings expected;
    std::size_t octets = 0;
    for (int i = 0; i < 20; ++i) {
        REQUIRE(program.me.send("(app:some place:far)", "x.n(" + std::to_string(10 + i) + ")"));
        expected.push_back("(app:some place:far): x.n(" + std::to_string(10 + i) + ")");
        if (i == 9) octets = program.daemon.octets;
    }
    CHECK(program.heard() == expected);
    CHECK(program.daemon.octets - octets == 10 * (mbws::frame_header_octets + 5 + 7));
}

TEST_CASE("given destinations that take turns then each message goes to its own") {
    for (const std::uint16_t addresses : {std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{64}}) {
        CAPTURE(addresses);
        lone_program program{addresses};
        strings expected;
        for (const char* to : {"a", "a", "a", "b", "b", "a", "b", "c", "c", "c", "a", "a", "a", "b", "b", "b", "d", "d", "d", "a", "a"}) {
            const std::string place = "(app:" + std::string{to} + ")";
            const std::string body = "x.n(" + std::to_string(expected.size()) + ")";
            REQUIRE(program.me.send(place, body));
            expected.push_back(place + ": " + body);
        }
        CHECK(program.heard() == expected);
    }
}

TEST_CASE("given a message that is not like the one before then it is not sent like it") {
    lone_program program;
    const std::string to = "(app:b)";
    const auto plain = [&] {
        for (int i = 0; i < 3; ++i) REQUIRE(program.me.send(to, "x.y()"));
        const auto heard = program.heard();
        REQUIRE(heard.size() == 3);
        for (const auto& each : heard) CHECK(each == "(app:b): x.y()");
    };
    plain();
    SUBCASE("opaque") {
        REQUIRE(program.me.send(to, mbus::payload::opaque("text/plain", "no command")));
        CHECK(program.heard() == strings{"(app:b): no command text/plain"});
    }
    SUBCASE("a ttl") {
        REQUIRE(program.me.send(to, "x.y()", {.ttl = 100ms}));
        CHECK(program.heard() == strings{"(app:b): x.y() ttl 100"});
        CHECK(program.me.send(to, "x.y()", {.ttl = -1ms}).error().code == errc::bad_argument);
    }
    SUBCASE("bad commands") {
        CHECK(program.me.send(to, "x.y").error().code == errc::bad_command);
        CHECK(program.me.send(to, {"x.y", {std::string(1, '\0')}}).error().code == errc::bad_value);
        CHECK(program.heard().empty());
    }
    SUBCASE("commands that are not for programs") {
        CHECK(program.me.send(to, "mbus.hello()").error().code == errc::bad_command);
        CHECK(program.me.send(to, "x.y()\r\nmbus.own()").error().code == errc::bad_command);
        CHECK(program.heard().empty());
    }
    SUBCASE("commands of RFC 3259 that are") {
        REQUIRE(program.me.send(to, "mbus.quit()"));
        REQUIRE(program.me.send(to, "mbus.ping()"));
        CHECK(program.heard() == strings{"(app:b): mbus.quit()", "(app:b): mbus.ping()"});
    }
    SUBCASE("too large") {
        CHECK(program.me.send(to, "x.y(\"" + std::string(2 * 1024 * 1024, 'x') + "\")").error().code == errc::too_large);
        CHECK(program.heard().empty());
    }
    SUBCASE("reliable, or with a receipt") {
        static_cast<void>(program.me.send_reliably(to, "x.y()"));
        static_cast<void>(program.me.send_with_receipt(to, "x.y()"));
        CHECK(program.heard() == strings{"(app:b): x.y() reliable receipt", "(app:b): x.y() receipt"});
    }
    SUBCASE("no address") {
        CHECK(program.me.send("(app", "x.y()").error().code == errc::bad_address);
        CHECK(program.heard().empty());
    }
    SUBCASE("who wants to hear of refusals") {
        program.me.on_refused([](const mbus::error&) {});
        REQUIRE(program.me.send(to, "x.y()"));
        CHECK(program.heard() == strings{"(app:b): x.y() receipt"});
        program.me.on_refused(nullptr);
    }
    plain();
}

TEST_CASE("given a second entity then its messages say whose they are, and with the first gone no more") {
    lone_program program;
    for (int i = 0; i < 3; ++i) REQUIRE(program.me.send("(app:b)", "x.one()"));
    auto second = std::make_unique<mbus::entity>(program::attach(program.connection, "app:c"));
    static_cast<void>(program.heard());
    for (int i = 0; i < 2; ++i) {
        REQUIRE(program.me.send("(app:b)", "x.one()"));
        REQUIRE(second->send("(app:b)", "x.two()"));
    }
    const std::string one = "(app:b): x.one() " + std::string{program.me.address().text()};
    const std::string two = "(app:b): x.two() " + std::string{second->address().text()};
    CHECK(program.heard() == strings{one, two, one, two});
    static_cast<void>(program.me.detach());
    CHECK(program.me.send("(app:b)", "x.one()").error().code == errc::disconnected);
    for (int i = 0; i < 3; ++i) REQUIRE(second->send("(app:b)", "x.two()"));
    CHECK(program.heard() == strings{"(app:b): x.two()", "(app:b): x.two()", "(app:b): x.two()"});
}

TEST_CASE("given a reconnect to a daemon that remembers more, fewer or no addresses then all is told anew") {
    for (const std::uint16_t before : {std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{64}}) {
        for (const std::uint16_t after : {std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{64}, std::uint16_t{1024}}) {
            CAPTURE(before);
            CAPTURE(after);
            lone_program program{before};
            for (const char* to : {"(app:b)", "(app:c)", "(app:b)", "(app:b)", "(app:b)"}) REQUIRE(program.me.send(to, "x.y()"));
            CHECK(program.heard().size() == 5);
            program.daemon.addresses = after;
            program.daemon.broken = true;
            program.run();
            CHECK(program.me.send("(app:b)", "x.y()").error().code == errc::disconnected);
            REQUIRE(program.connection.run_for(1s));
            REQUIRE(program.daemon.connections == 2);
            for (const char* to : {"(app:b)", "(app:b)", "(app:b)", "(app:c)", "(app:b)"}) REQUIRE(program.me.send(to, "x.y()"));
            CHECK(program.heard() == strings{"(app:b): x.y()", "(app:b): x.y()", "(app:b): x.y()", "(app:c): x.y()", "(app:b): x.y()"});
        }
    }
}
