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

}  // namespace mbus::mbws
