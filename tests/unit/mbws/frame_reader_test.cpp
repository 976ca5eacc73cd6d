// Cutting a stream into frames (docs/mbws.md, sections 2 and 2.1).
#include <doctest/doctest.h>

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "mbws/frame_reader.hpp"

namespace mbus::mbws {
namespace {

std::string message(std::uint64_t number, std::string_view body) {
    std::string made;
    REQUIRE(frame_writer{made, verb::message, 0, number}.set(key::to, "(app:player)").finish(body));
    return made;
}

std::vector<std::string> drain(frame_reader& reader) {
    std::vector<std::string> found;
    frame_view frame;
    while (reader.next(frame) == frame_reader::status::frame) found.emplace_back(reader.raw());
    return found;
}

}  // namespace

TEST_CASE("frames that are split at every octet come out the same (s2)") {
    const std::vector<std::string> frames{message(1, "a.b()"), message(2, ""),
                                          message(3, std::string(700, 'x'))};
    std::string stream;
    for (const auto& frame : frames) stream += frame;
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        frame_reader reader;
        reader.feed(std::string_view{stream}.substr(0, cut));
        std::vector<std::string> found = drain(reader);
        reader.feed(std::string_view{stream}.substr(cut));
        for (auto& frame : drain(reader)) found.push_back(std::move(frame));
        REQUIRE(found == frames);
        REQUIRE(reader.held() == 0);
    }
}

TEST_CASE("frames that come octet by octet come out the same (s2)") {
    const std::string stream = message(1, "one") + message(2, "two");
    frame_reader reader;
    frame_view frame;
    std::vector<std::string> found;
    for (const char octet : stream) {
        reader.feed({&octet, 1});
        while (reader.next(frame) == frame_reader::status::frame) found.emplace_back(frame.body);
    }
    CHECK(found == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a whole frame is shown where it was fed, not copied") {
    const std::string stream = message(1, "one");
    frame_reader reader;
    frame_view frame;
    reader.feed(stream);
    REQUIRE(reader.next(frame) == frame_reader::status::frame);
    CHECK(frame.body.data() == stream.data() + stream.size() - 3);
    CHECK(reader.held() == 0);
}

TEST_CASE("what was not looked at can be kept for later") {
    frame_reader reader;
    frame_view frame;
    {
        const std::string stream = message(1, "one") + message(2, "two") + message(3, "three").substr(0, 20);
        reader.feed(stream);
        REQUIRE(reader.next(frame) == frame_reader::status::frame);
        reader.keep();
    }
    REQUIRE(reader.next(frame) == frame_reader::status::frame);
    CHECK(frame.body == "two");
    CHECK(reader.next(frame) == frame_reader::status::need_more);
    const std::string whole = message(3, "three");
    reader.feed(std::string_view{whole}.substr(20));
    REQUIRE(reader.next(frame) == frame_reader::status::frame);
    CHECK(frame.body == "three");
}

TEST_CASE("a frame that is too large is refused from its first 8 octets (s2.1)") {
    std::string stream(8, '\0');
    stream[0] = 7;
    stream[3] = 16;
    stream[5] = 0x02;  // 131072 octets of body
    frame_reader reader{131072};
    frame_view frame;
    for (std::size_t i = 0; i < 7; ++i) {
        reader.feed(std::string_view{stream}.substr(i, 1));
        REQUIRE(reader.next(frame) == frame_reader::status::need_more);
    }
    reader.feed(std::string_view{stream}.substr(7));
    REQUIRE(reader.next(frame) == frame_reader::status::failed);
    CHECK(reader.failure().code == errc::too_large);
    CHECK(reader.failure().text.find("131088") != std::string::npos);
    CHECK(reader.failure().text.find("131072") != std::string::npos);
    CHECK(reader.next(frame) == frame_reader::status::failed);
}

TEST_CASE("a frame of exactly the limit is taken (s2.1)") {
    const std::string stream = message(1, std::string(200, 'x'));
    frame_reader reader{stream.size()};
    reader.feed(stream);
    CHECK(drain(reader).size() == 1);
    frame_reader smaller{stream.size() - 1};
    smaller.feed(stream);
    CHECK(drain(smaller).empty());
    CHECK(smaller.failure().code == errc::too_large);
}

TEST_CASE("a header below 16 octets is refused before the frame is complete (s2.1)") {
    std::string stream(8, '\0');
    stream[3] = 15;
    frame_reader reader;
    frame_view frame;
    reader.feed(stream);
    REQUIRE(reader.next(frame) == frame_reader::status::failed);
    CHECK(reader.failure().code == errc::bad_frame);
}

TEST_CASE("a large announced frame costs memory only as it arrives") {
    std::string stream(8, '\0');
    stream[0] = 7;
    stream[3] = 16;
    stream[5] = 0x0F;  // nearly 1 MiB
    frame_reader reader;
    frame_view frame;
    reader.feed(stream);
    REQUIRE(reader.next(frame) == frame_reader::status::need_more);
    CHECK(reader.held() == 8);
}

TEST_CASE("any split of any frames gives the same frames") {
    const bool held = rc::check([](const std::vector<std::string>& bodies) {
        std::string stream;
        std::vector<std::string> frames;
        for (std::size_t i = 0; i < bodies.size(); ++i)
            frames.push_back(message(i + 1, bodies[i])), stream += frames.back();
        frame_reader reader;
        std::vector<std::string> found;
        std::size_t at = 0;
        while (at < stream.size()) {
            const auto count = *rc::gen::inRange<std::size_t>(1, 90);
            const std::string piece = stream.substr(at, count);
            at += piece.size();
            reader.feed(piece);
            frame_view frame;
            while (reader.next(frame) == frame_reader::status::frame) {
                found.emplace_back(reader.raw());
                if (*rc::gen::inRange(0, 3) == 0) {
                    reader.keep();
                }
            }
        }
        RC_ASSERT(found == frames);
    });
    CHECK(held);
}

// --- headers that repeat ----------------------------------------------------------------------

namespace {

std::string message_to(std::string_view to, std::string_view body, std::uint64_t number = 0, std::uint8_t flags = 0) {
    std::string made;
    REQUIRE(frame_writer{made, verb::message, flags, number}.set(key::to, to).finish(body));
    return made;
}

// Which of the frames of one read repeat the one before: '=' or '.'.
std::string repeating(frame_reader& reader, std::string_view octets, frame_view& frame) {
    std::string found;
    reader.feed(octets);
    while (reader.next(frame) == frame_reader::status::frame) found += frame.repeats ? '=' : '.';
    return found;
}

}  // namespace

TEST_CASE("a frame repeats the one before when only number and body differ") {
    frame_reader reader;
    frame_view frame;
    const auto first = message_to("(app:a)", "one", 1);
    CHECK(repeating(reader, first + message_to("(app:a)", "twice as long", 2) + message_to("(app:a)", ""), frame) == ".==");
    CHECK(repeating(reader, first + message_to("(app:b)", "one", 1) + message_to("(app:b)", "one", 1), frame) == "..=");
    CHECK(repeating(reader, first + message_to("(app:a)", "one", 1, flag::reliable) + first + first, frame) == "...=");
    CHECK(repeating(reader, first + message_to("(app:aa)", "one") + first, frame) == "...");
    std::string ping;
    REQUIRE(frame_writer{ping, verb::ping}.finish("one"));
    CHECK(repeating(reader, first + ping + ping + first, frame) == "..=.");
}

TEST_CASE("a frame that repeats shows its own number and body, and the fields of the one before") {
    const auto stream = message_to("(app:a)", "one", 1) + message_to("(app:a)", "second", 7);
    frame_reader reader;
    frame_view frame;
    reader.feed(stream);
    REQUIRE(reader.next(frame) == frame_reader::status::frame);
    REQUIRE(reader.next(frame) == frame_reader::status::frame);
    CHECK(frame.repeats);
    CHECK(frame.verb == verb::message);
    CHECK(frame.number == 7);
    CHECK(frame.body == "second");
    CHECK(frame.text(key::to) == "(app:a)");
    CHECK(reader.raw() == message_to("(app:a)", "second", 7));
}

TEST_CASE("nothing repeats a frame of an earlier read, or one that was cut off or kept") {
    const auto one = message_to("(app:a)", "one");
    frame_reader reader;
    frame_view frame;
    CHECK(repeating(reader, one + one, frame) == ".=");
    CHECK(repeating(reader, one + one, frame) == ".=");
    CHECK(repeating(reader, one + one.substr(0, 20), frame) == ".");
    // The rest of the second, which had to be copied; what follows begins anew.
    CHECK(repeating(reader, one.substr(20) + one + one, frame) == "..=");
    const auto two = one + one;
    reader.feed(two);
    REQUIRE(reader.next(frame) == frame_reader::status::frame);
    reader.keep();
    REQUIRE(reader.next(frame) == frame_reader::status::frame);
    CHECK_FALSE(frame.repeats);
}

TEST_CASE("who reads into another object gets whole frames") {
    const auto one = message_to("(app:a)", "one");
    const auto stream = one + one + one;
    frame_reader reader;
    frame_view first;
    frame_view second;
    reader.feed(stream);
    REQUIRE(reader.next(first) == frame_reader::status::frame);
    REQUIRE(reader.next(second) == frame_reader::status::frame);
    CHECK_FALSE(second.repeats);
    CHECK(second.text(key::to) == "(app:a)");
    REQUIRE(reader.next(first) == frame_reader::status::frame);
    CHECK_FALSE(first.repeats);
}

TEST_CASE("a frame with a repeated header that is too large is refused (s2.1)") {
    const auto stream = message_to("(app:a)", "one") + message_to("(app:a)", std::string(300, 'x'));
    frame_reader reader{200};
    frame_view frame;
    CHECK(repeating(reader, stream, frame) == ".");
    CHECK(reader.failed());
    CHECK(reader.failure().code == errc::too_large);
}

TEST_CASE("no octets make a reader that compares headers read anything else than one that does not") {
    const bool held = rc::check("repeats and whole frames", [] {
        std::string stream;
        const auto count = *rc::gen::inRange(0, 30);
        for (int i = 0; i < count; ++i) {
            std::string made;
            frame_writer writer{made, verb::message, static_cast<std::uint8_t>(*rc::gen::inRange(0, 2)),
                                static_cast<std::uint64_t>(*rc::gen::inRange(0, 2))};
            const auto number = static_cast<std::uint64_t>(*rc::gen::inRange(0, 3));
            if (*rc::gen::arbitrary<bool>()) writer.set(key::to, "(n:" + std::to_string(number) + ")");
            if (*rc::gen::arbitrary<bool>()) writer.set(key::to_number, number);
            if (*rc::gen::inRange(0, 4) == 0) writer.set(key::time, std::uint64_t{5});
            RC_ASSERT(writer.finish(std::string(static_cast<std::size_t>(*rc::gen::inRange(0, 4)), 'b')));
            if (*rc::gen::inRange(0, 200) == 0) made[static_cast<std::size_t>(*rc::gen::inRange(0, 16))] ^= 1;
            const auto times = *rc::gen::inRange(1, 3);
            for (int n = 0; n < times; ++n) stream += made;
        }
        frame_reader comparing;
        frame_reader plain;
        comparing.remember(3);
        plain.remember(3);
        frame_view shown;
        for (std::size_t at = 0; at < stream.size();) {
            const auto piece = stream.substr(at, *rc::gen::inRange<std::size_t>(1, 400));
            at += piece.size();
            comparing.feed(piece);
            plain.feed(piece);
            for (;;) {
                frame_view fresh;  // never the object of the frame before
                frame_view other;
                auto status = plain.next(fresh);
                if (status == frame_reader::status::frame && fresh.repeats) status = frame_reader::status::failed;
                RC_ASSERT(comparing.next(shown) == status);
                RC_ASSERT(comparing.raw() == plain.raw());
                if (status != frame_reader::status::frame) break;
                RC_ASSERT(shown == fresh);
                if (const auto next = plain.next(other); next == frame_reader::status::frame) {
                    RC_ASSERT(comparing.next(shown) == next);
                    RC_ASSERT(shown == other);
                } else {
                    RC_ASSERT(comparing.next(shown) == next);
                    break;
                }
            }
            RC_ASSERT(comparing.failed() == plain.failed());
            if (plain.failed()) break;
        }
    });
    CHECK(held);
}

}  // namespace mbus::mbws
