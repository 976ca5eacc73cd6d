#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rapidcheck.h>

#include "mbws/address_numbers.hpp"
#include "mbws/connection_port.hpp"
#include "mbws/frame_reader.hpp"

namespace mbus::mbws {
namespace {

class pipe_port final : public stream_port {
public:
    void wake() override {}
    void read_again() override {}

    // What was written since the last call.
    std::string take() {
        std::string all;
        std::array<octet_span, 64> spans;
        while (waiting() > 0) {
            std::size_t octets = 0;
            for (const auto count = gather(spans); const auto& each : std::span{spans}.first(count)) {
                all.append(each.data, each.size);
                octets += each.size;
            }
            consumed(octets);
        }
        return all;
    }
};

std::string frame_of(std::uint64_t to_number, std::string_view to = {}) {
    std::string octets;
    frame_writer writer{octets, verb::message};
    writer.set_if(key::to, to).set(key::to_number, to_number);
    REQUIRE(writer.finish("a.b()"));
    return octets;
}

// What a reader makes of frames, one after the other.
struct reading {
    frame_reader reader{};
    frame_view frame{};
    std::string octets{};

    explicit reading(std::uint16_t addresses) { reader.remember(addresses); }
    frame_reader::status read(std::string next) {
        octets = std::move(next);
        reader.feed(octets);
        return reader.next(frame);
    }
};

void deliver(pipe_port& port, message_preparer& preparer, std::string_view to, std::string_view from, std::string_view body) {
    const auto ready = preparer.prepare({.to = to, .from = from, .time = 7, .body = body});
    REQUIRE(ready);
    port.append({verb::message, 0, 0, {}, ready->fields(), ready->body(), &ready});
}

}  // namespace

TEST_CASE("an identity belongs to one text for ever") {
    address_names names;
    const auto first = names.id_of("(app:a)");
    CHECK(first != 0);
    CHECK(names.id_of("") == 0);
    CHECK(names.id_of("(app:b)") != first);
    CHECK(names.id_of("(app:a)") == first);
    // Far more than are remembered: forgotten texts get new identities, never another's.
    std::vector<std::uint64_t> seen;
    for (int i = 0; i < 40000; ++i) seen.push_back(names.id_of("(n:" + std::to_string(i) + ")"));
    std::sort(seen.begin(), seen.end());
    CHECK(std::unique(seen.begin(), seen.end()) == seen.end());
    CHECK(std::find(seen.begin(), seen.end(), first) == seen.end());
}

TEST_CASE("given an address with a number, when the number comes alone, then it stands for the address") {
    reading it{64};
    REQUIRE(it.read(frame_of(63, "(app:player)")) == frame_reader::status::frame);
    CHECK(it.frame.text(key::to) == "(app:player)");
    REQUIRE(it.read(frame_of(63)) == frame_reader::status::frame);
    CHECK(it.frame.text(key::to) == "(app:player)");
    REQUIRE(it.read(frame_of(63, "(app:other)")) == frame_reader::status::frame);
    REQUIRE(it.read(frame_of(63)) == frame_reader::status::frame);
    CHECK(it.frame.text(key::to) == "(app:other)");
}

TEST_CASE("a number that stands for nothing makes a bad frame") {
    reading it{64};
    SUBCASE("never given") { CHECK(it.read(frame_of(5)) == frame_reader::status::failed); }
    SUBCASE("not offered") { CHECK(it.read(frame_of(64, "(app:a)")) == frame_reader::status::failed); }
    SUBCASE("nothing was offered") {
        it.reader.remember(0);
        CHECK(it.read(frame_of(0, "(app:a)")) == frame_reader::status::failed);
    }
    SUBCASE("one number for two addresses") {
        REQUIRE(it.read(frame_of(3, "(app:a)")) == frame_reader::status::frame);
        std::string octets;
        frame_writer writer{octets, verb::message};
        writer.set(key::to_number, std::uint64_t{3}).set(key::from, "(app:b)").set(key::from_number, std::uint64_t{3});
        REQUIRE(writer.finish());
        CHECK(it.read(octets) == frame_reader::status::failed);
    }
    CHECK(it.reader.failure().code == errc::bad_frame);
}

TEST_CASE("given a reader that remembers, then the second delivery is shorter by its addresses") {
    message_preparer preparer;
    pipe_port port;
    port.remembers(64);
    deliver(port, preparer, "(app:player id:1-1@10.0.0.1)", "(app:ui id:2-1@10.0.0.1)", "a.b()");
    const auto first = port.take();
    deliver(port, preparer, "(app:player id:1-1@10.0.0.1)", "(app:ui id:2-1@10.0.0.1)", "a.b()");
    const auto second = port.take();
    CHECK(first.size() - second.size() == 3 + 28 + 3 + 24);
    CHECK(second.size() == frame_header_octets + 5 + 5 + 11 + 5);
}

TEST_CASE("an address of more than 1024 octets goes as text each time, and a number for one is a bad frame") {
    const std::string from = "(app:" + std::string(numbered_address_max, 'x') + ")";
    REQUIRE(from.size() > numbered_address_max);
    message_preparer preparer;
    pipe_port port;
    port.remembers(addresses_of_broker);
    for (int i = 0; i < 2; ++i) {
        deliver(port, preparer, "(app:b)", from, "a.b()");
        reading reader{addresses_of_broker};
        REQUIRE(reader.read(port.take()) == frame_reader::status::frame);
        CHECK(reader.frame.text(key::from) == from);
        CHECK_FALSE(reader.frame.has(key::from_number));
    }
    message_run run{preparer};
    CHECK_FALSE(run.begin("(app:b)", from));

    reading strict{addresses_of_client};
    REQUIRE(strict.read(frame_of(3, from)) == frame_reader::status::failed);
    CHECK(strict.reader.failure().text.find("1024") != std::string::npos);
}

TEST_CASE("given a reader that does not, then deliveries are as ever") {
    message_preparer preparer;
    pipe_port port;
    for (int i = 0; i < 2; ++i) {
        deliver(port, preparer, "()", "(app:ui id:2-1@10.0.0.1)", "a.b()");
        frame_view frame;
        const auto octets = port.take();
        REQUIRE(decode_frame(octets, frame) == nullptr);
        CHECK(frame.text(key::to) == "()");
        CHECK_FALSE(frame.has(key::to_number));
    }
}

TEST_CASE("whatever the addresses and however few are remembered, the reader sees what was sent") {
    CHECK(rc::check("told and heard", [] {
        const auto size = static_cast<std::uint16_t>(*rc::gen::inRange(1, 9));
        const auto different = *rc::gen::inRange(1, 20);
        const auto pairs = *rc::gen::container<std::vector<std::pair<int, int>>>(
            rc::gen::pair(rc::gen::inRange(0, different), rc::gen::inRange(0, different)));
        message_preparer preparer;
        pipe_port port;
        port.remembers(size);
        frame_reader reader;
        reader.remember(size);
        const auto address = [](int n) { return "(app:x id:" + std::to_string(n) + ")"; };
        for (const auto& [to, from] : pairs) {
            const std::string body(static_cast<std::size_t>(to) * 60, 'b');  // also bodies that are shared
            deliver(port, preparer, address(to), address(from), body);
            const auto octets = port.take();
            frame_view frame;
            reader.feed(octets);
            RC_ASSERT(reader.next(frame) == frame_reader::status::frame);
            RC_ASSERT(frame.text(key::to) == address(to));
            RC_ASSERT(frame.text(key::from) == address(from));
            RC_ASSERT(frame.integer(key::time) == 7U);
            RC_ASSERT(frame.body == body);
            RC_ASSERT(reader.next(frame) == frame_reader::status::need_more);
        }
    }));
}

TEST_CASE("a frame with a repeated header means the address that its number means then") {
    const auto stream = frame_of(3, "(app:a)") + frame_of(3) + frame_of(3) + frame_of(4, "(app:b)") + frame_of(3) + frame_of(3) +
                        frame_of(3, "(app:c)") + frame_of(3, "(app:c)") + frame_of(3) + frame_of(3);
    reading it{64};
    it.reader.feed(stream);
    std::vector<std::string> meant;
    std::string repeats;
    while (it.reader.next(it.frame) == frame_reader::status::frame) {
        meant.emplace_back(it.frame.text(key::to));
        repeats += it.frame.repeats ? '=' : '.';
    }
    CHECK(meant == std::vector<std::string>{"(app:a)", "(app:a)", "(app:a)", "(app:b)", "(app:a)", "(app:a)", "(app:c)", "(app:c)",
                                            "(app:c)", "(app:c)"});
    CHECK(repeats == "..=..=.=.=");
}

TEST_CASE("given several clients that remember, then each is told what it does not know") {
    message_preparer preparer;
    message_run run{preparer};
    pipe_port early;
    pipe_port late;
    early.remembers(addresses_of_broker);
    late.remembers(addresses_of_broker);
    for (int i = 0; i < 2; ++i) {
        REQUIRE(run.begin("(app:player)", "(app:ui)"));
        REQUIRE(run.add(7, "a.b()"));
        early.append_run(run.piece());
        if (i == 1) late.append_run(run.piece());
        run.end();
    }
    const std::size_t frame = frame_header_octets + 5 + 5 + 11 + 5;
    CHECK(early.take().size() == 2 * frame + 3 + 12 + 3 + 8);
    CHECK(late.take().size() == frame + 3 + 12 + 3 + 8);
}

}  // namespace mbus::mbws
