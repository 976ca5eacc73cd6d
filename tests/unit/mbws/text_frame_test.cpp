// The text form (docs/mbws.md, section 2.2), and that both forms say the same.
#include <doctest/doctest.h>

#include <rapidcheck.h>

#include <deque>
#include <string>

#include "mbws/frame.hpp"
#include "mbws/text_frame.hpp"

namespace mbus::mbws {
namespace {

frame_view read(std::string_view text) {
    frame_view frame;
    REQUIRE(parse_text_frame(text, frame));
    return frame;
}

bool refused(std::string_view text) {
    frame_view frame;
    const auto done = parse_text_frame(text, frame);
    return !done && done.error().code == errc::bad_frame && done.error().offset <= text.size();
}

}  // namespace

TEST_CASE("the worked example in text (s2.2)") {
    const std::string text = "message 42\nto: (app:player)\nreliable: yes\n\nplayer.play (\"song.mp3\" 3)";
    const frame_view frame = read(text);
    CHECK(frame.verb == verb::message);
    CHECK(frame.number == 42);
    CHECK(frame.flags == flag::reliable);
    CHECK(frame.text(key::to) == "(app:player)");
    CHECK(frame.body == "player.play (\"song.mp3\" 3)");
    std::string made;
    REQUIRE(append_text_frame(made, frame));
    CHECK(made == text);
}

TEST_CASE("text frames: line ends, empty line, blanks and unknown names (s2.2)") {
    CHECK(read("ack 7").number == 7);
    CHECK(read("ack 7\n").number == 7);
    CHECK(read("close\r\n").verb == verb::close);
    CHECK(read("message\r\nto: ()\r\n\r\na\r\n").body == "a\r\n");
    CHECK(read("message\nto: ()\n\n").body.empty());
    CHECK(read("message\nto: ()\n").body.empty());
    CHECK(read("connect\nname:  two blanks \n").text(key::name) == " two blanks ");
    CHECK(read("connect\nname:none\n").text(key::name) == "none");
    CHECK(read("connect\nname: a: b\n").text(key::name) == "a: b");
    CHECK(read("connect\nlater: x\nlater: x\nwindow: 4\n").integer(key::window) == 4);
    CHECK(read("later 1\n").verb == verb::unknown);
    CHECK(read("message\n\n\nx").body == "\nx");
    CHECK(read("connected\nresumed: yes\ndurable: no\n").integer(key::resumed) == 1);
    CHECK(read("message\nreceipt: yes\nredelivered: yes\nreliable: no\n").flags ==
          (flag::receipt | flag::redelivered));
}

TEST_CASE("bad text frames (s2.2)") {
    CHECK(refused("ack x"));
    CHECK(refused("ack  7"));
    CHECK(refused("ack 7 "));
    CHECK(refused("ack -1"));
    CHECK(refused("ack 18446744073709551616"));
    CHECK(refused("message\nno colon\n"));
    CHECK(refused("message\nto: a\nto: a\n"));
    CHECK(refused("message\nreliable: yes\nreliable: yes\n"));
    CHECK(refused("message\nreliable: perhaps\n"));
    CHECK(refused("message\nttl: 4294967296\n"));
    CHECK(refused("message\nttl: \n"));
    CHECK(refused("message\nttl: +1\n"));
    CHECK(refused("receipt\ntried: 256\n"));
    CHECK(refused("connected\nresumed: 1\n"));
    CHECK(refused("message\nto: a\x01\n"));
    CHECK(refused("message\nto: a\rb\n"));
    CHECK(refused("message\nto: \xFF\n"));
    CHECK(refused("message\nto: ()\n\n\xFF"));
    CHECK(refused("mess\x80ge\n"));
}

TEST_CASE("what has no text form is refused, and nothing appended (s2.2)") {
    frame_view frame;
    frame.verb = verb::message;
    frame.set(key::to, "()");
    frame.body = "\xFF";
    std::string made = "before";
    CHECK_FALSE(append_text_frame(made, frame));
    frame.body = {};
    frame.verb = static_cast<verb>(99);
    CHECK_FALSE(append_text_frame(made, frame));
    frame.verb = verb::message;
    frame.set(key::name, "a\nb");
    CHECK_FALSE(append_text_frame(made, frame));
    CHECK(made == "before");
}

TEST_CASE("binary and text say the same for every frame (s2)") {
    const bool held = rc::check([] {
        std::deque<std::string> texts;
        frame_view frame;
        frame.verb = static_cast<verb>(*rc::gen::inRange(1, 18));
        frame.flags = static_cast<std::uint8_t>(*rc::gen::inRange(0, 8));
        frame.number = *rc::gen::arbitrary<std::uint64_t>();
        for (std::size_t code = 1; code < keys_end; ++code) {
            if (!*rc::gen::arbitrary<bool>()) continue;
            const auto which = static_cast<key>(code);
            const std::size_t size = octets_of(kind_of(which));
            if (kind_of(which) == value_kind::text) {
                const auto raw = *rc::gen::container<std::string>(rc::gen::inRange<char>(0x20, 0x7F));
                texts.push_back(*rc::gen::arbitrary<bool>() ? raw : raw + "ü世");
                frame.set(which, texts.back());
            } else if (kind_of(which) == value_kind::yes_no) {
                frame.set(which, std::uint64_t{*rc::gen::arbitrary<bool>() ? 1U : 0U});
            } else {
                const auto value = *rc::gen::arbitrary<std::uint64_t>();
                frame.set(which, size == 8 ? value : value & ((std::uint64_t{1} << (8 * size)) - 1));
            }
        }
        texts.push_back(*rc::gen::container<std::string>(rc::gen::inRange<char>(1, 0x7F)));
        frame.body = texts.back();
        std::string binary;
        std::string text;
        RC_ASSERT(append_frame(binary, frame));
        RC_ASSERT(append_text_frame(text, frame).has_value());
        frame_view from_binary;
        frame_view from_text;
        RC_ASSERT(decode_frame(binary, from_binary) == nullptr);
        RC_ASSERT(parse_text_frame(text, from_text).has_value());
        RC_ASSERT(from_binary == frame);
        RC_ASSERT(from_text == frame);
    });
    CHECK(held);
}

TEST_CASE("any octets are read or refused, in both forms, and what is read is written the same (s2)") {
    const bool held = rc::check([](const std::string& octets) {
        frame_view frame;
        static_cast<void>(parse_text_frame(octets, frame));
        std::string binary = octets;
        if (binary.size() >= 16) {
            binary[2] = 0;
            binary[3] = static_cast<char>(16 + (binary.size() - 16) / 2);
            binary[4] = binary[5] = binary[6] = 0;
            binary[7] = static_cast<char>(binary.size() - 16 - (binary.size() - 16) / 2);
        }
        if (decode_frame(binary, frame) == nullptr) {
            std::string again;
            RC_ASSERT(append_frame(again, frame));
            frame_view second;
            RC_ASSERT(decode_frame(again, second) == nullptr);
            RC_ASSERT(second == frame);
        }
    });
    CHECK(held);
}

}  // namespace mbus::mbws
