// Messages and control frames out of a stream (RFC 6455, section 5).
#include "frames.hpp"

namespace mbus::websocket {

using namespace testing;

namespace {

constexpr reader_rules as_client{role::client, 1024 * 1024, false};
constexpr reader_rules extended{role::server, 1024 * 1024, true};

}  // namespace

TEST_CASE("the examples of RFC 6455 s5.7") {
    message_reader client{as_client};
    CHECK(read(client, from_hex("81 05 48 65 6c 6c 6f")) == std::vector{seen{opcode::text, "Hello", close_code::none, 5}} );
    CHECK(read(client, from_hex("01 03 48 65 6c 80 02 6c 6f")) == std::vector{seen{opcode::text, "Hello", close_code::none, 3}});
    CHECK(read(client, from_hex("89 05 48 65 6c 6c 6f")) == std::vector{seen{opcode::ping, "Hello", close_code::none, 5}});
    CHECK(read(client, from_hex("82 7e 01 00") + std::string(256, 'x')).at(0).payload == std::string(256, 'x'));
    CHECK(read(client, from_hex("82 7f 00 00 00 00 00 01 00 00") + std::string(65536, 'y')).at(0).payload ==
          std::string(65536, 'y'));
    message_reader server{{}};
    CHECK(read(server, from_hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")).at(0).payload == "Hello");
    CHECK(read(server, from_hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58")) ==
          std::vector{seen{opcode::pong, "Hello", close_code::none, 5}});
}

TEST_CASE("a whole message is shown where it was fed, not copied") {
    message_reader reader{{}};
    std::string octets = frame(opcode::binary, true, "content");
    reader.feed(octets);
    received_message got;
    REQUIRE(reader.next(got) == message_reader::status::message);
    CHECK(got.payload.data() == octets.data() + octets.size() - 7);
    CHECK(reader.next(got) == message_reader::status::need_more);
    CHECK(reader.held() == 0);
}

TEST_CASE("control frames between the fragments of a message come out in their place (s5.4)") {
    message_reader reader{{}};
    const auto found = read(reader, frame(opcode::text, false, "one ") + frame(opcode::ping, true, "p") +
                                        frame(opcode::continuation, false, "") +
                                        frame(opcode::pong, true, "q") + frame(opcode::continuation, true, "two"));
    CHECK(found == std::vector{seen{opcode::ping, "p", close_code::none, 1}, seen{opcode::pong, "q", close_code::none, 1},
                               seen{opcode::text, "one two", close_code::none, 4}});
    CHECK(reader.held() == 0);
}

TEST_CASE("what a reserved bit, opcode or a wrong mask ends with is 1002 (s5.2, s5.1)") {
    CHECK(refusal(from_hex("c1 80 00 00 00 00")) == close_code::protocol_error);  // RSV1: compression
    CHECK(refusal(from_hex("a1 80 00 00 00 00")) == close_code::protocol_error);
    CHECK(refusal(from_hex("91 80 00 00 00 00")) == close_code::protocol_error);
    for (int code = 0; code < 16; ++code) {
        CAPTURE(code);
        const auto what = static_cast<opcode>(code);
        const bool known = code == 1 || code == 2 || code == 8 || code == 9 || code == 10;
        CHECK((refusal(frame(what, true, "")) == close_code::none) == known);
        CHECK((refusal(frame(what, true, ""), extended) == close_code::none) == (known || code == 3 || code == 11));
    }
    CHECK(refusal(frame(opcode::text, true, "x", std::nullopt)) == close_code::protocol_error);
    CHECK(refusal(frame(opcode::text, true, "x"), as_client) == close_code::protocol_error);
}

TEST_CASE("the first octet is enough to refuse a frame") {
    CHECK(refusal(from_hex("c2")) == close_code::protocol_error);
    CHECK(refusal(from_hex("83")) == close_code::protocol_error);
    CHECK(refusal(from_hex("80")) == close_code::protocol_error);
    CHECK(refusal(from_hex("82")) == close_code::none);
    CHECK(refusal(from_hex("82 01")) == close_code::protocol_error);
}

TEST_CASE("control frames are whole and short (s5.5)") {
    CHECK(refusal(frame(opcode::ping, false, "x")) == close_code::protocol_error);
    CHECK(refusal(frame(opcode::ping, true, std::string(125, 'x'))) == close_code::none);
    CHECK(refusal(frame(opcode::ping, true, std::string(126, 'x'))) == close_code::protocol_error);
    CHECK(refusal(frame(opcode::extension_control, false, "x"), extended) == close_code::protocol_error);
    CHECK(refusal(frame(opcode::extension_control, true, std::string(126, 'x')), extended) ==
          close_code::protocol_error);
}

TEST_CASE("a length is written in as few octets as possible (s5.2)") {
    CHECK(refusal(from_hex("82 fe 00 7d 00 00 00 00")) == close_code::protocol_error);
    CHECK(refusal(from_hex("82 ff 00 00 00 00 00 00 ff ff 00 00 00 00")) == close_code::protocol_error);
    CHECK(refusal(from_hex("82 ff 80 00 00 00 00 01 00 00 00 00 00 00")) == close_code::protocol_error);
}

TEST_CASE("fragments follow their message (s5.4)") {
    CHECK(refusal(frame(opcode::continuation, true, "x")) == close_code::protocol_error);
    CHECK(refusal(frame(opcode::text, false, "x") + frame(opcode::text, true, "y")) == close_code::protocol_error);
    CHECK(refusal(frame(opcode::text, true, "x") + frame(opcode::continuation, true, "y")) ==
          close_code::protocol_error);
}

TEST_CASE("text that is not UTF-8 is refused at its first bad octet (s8.1)") {
    CHECK(refusal(frame(opcode::text, true, "a\xff")) == close_code::not_utf8);
    CHECK(refusal(frame(opcode::text, true, "a\xe2\x82")) == close_code::not_utf8);
    CHECK(refusal(frame(opcode::binary, true, "a\xff")) == close_code::none);
    // In a fragment, long before the message ends; in a frame, before the frame ends.
    CHECK(refusal(frame(opcode::text, false, "a\xff")) == close_code::not_utf8);
    CHECK(refusal(frame(opcode::text, true, "a\xff" + std::string(100, 'x')).substr(0, 8)) == close_code::not_utf8);
    // A character in two fragments is one.
    message_reader reader{{}};
    CHECK(read(reader, frame(opcode::text, false, "\xe2") + frame(opcode::continuation, true, "\x82\xac")) ==
          std::vector{seen{opcode::text, "\xe2\x82\xac", close_code::none, 1}});
    CHECK(refusal(frame(opcode::text, false, "\xe2") + frame(opcode::continuation, false, "z")) ==
          close_code::not_utf8);
}

TEST_CASE("a message that is too large is refused from its head, before it is stored") {
    const reader_rules small{role::server, 1000, false};
    CHECK(refusal(frame(opcode::binary, true, std::string(1000, 'x')), small) == close_code::none);
    CHECK(refusal(frame(opcode::binary, true, std::string(1001, 'x')).substr(0, 8), small) == close_code::too_large);
    CHECK(refusal(frame(opcode::binary, false, std::string(600, 'x')) +
                      frame(opcode::continuation, true, std::string(401, 'x')).substr(0, 8),
                  small) == close_code::too_large);
    message_reader reader{small};
    static_cast<void>(read(reader, from_hex("82 ff 7f ff ff ff ff ff ff ff 00 00 00 00")));
    REQUIRE(reader.failed());
    CHECK(reader.failure().text.find("1000") != std::string::npos);
    CHECK(reader.held() == 0);
}

TEST_CASE("endlessly many empty fragments are refused") {
    message_reader reader{{}};
    std::string octets = frame(opcode::binary, false, "");
    for (std::uint32_t i = 1; i < empty_fragments_max; ++i) octets += frame(opcode::continuation, false, "");
    CHECK(read(reader, octets).empty());
    CHECK_FALSE(reader.failed());
    CHECK(read(reader, frame(opcode::continuation, false, "")).empty());
    REQUIRE(reader.failed());
    CHECK(reader.failure().code == close_code::policy);
}

TEST_CASE("the bound on empty fragments is for each message") {
    message_reader reader{{}};
    for (int message = 0; message < 3; ++message) {
        std::string octets = frame(opcode::binary, false, "");
        for (std::uint32_t i = 1; i < empty_fragments_max; ++i) octets += frame(opcode::continuation, false, "");
        CHECK(read(reader, octets + frame(opcode::continuation, true, "")).size() == 1);
    }
}

TEST_CASE("a close frame has a code and a reason, or nothing (s5.5.1)") {
    message_reader reader{{}};
    CHECK(read(reader, frame(opcode::close, true, close_payload(close_code::going_away, "bye"))) ==
          std::vector{seen{opcode::close, "bye", close_code::going_away, 5}});
    message_reader bare{{}};
    CHECK(read(bare, frame(opcode::close, true, "")) == std::vector{seen{opcode::close, "", close_code::none, 0}});
    CHECK(refusal(frame(opcode::close, true, "\x03")) == close_code::protocol_error);
    CHECK(refusal(frame(opcode::close, true, from_hex("03 ed"))) == close_code::protocol_error);  // 1005
    CHECK(refusal(frame(opcode::close, true, from_hex("03 e8 ff"))) == close_code::not_utf8);
}

TEST_CASE("after a close frame everything is thrown away (s5.5.1)") {
    message_reader reader{{}};
    CHECK(read(reader, frame(opcode::close, true, "") + frame(opcode::text, true, "late")).size() == 1);
    CHECK(read(reader, "\xff\xff\xff nonsense").empty());
    CHECK_FALSE(reader.failed());
    CHECK(reader.held() == 0);
}

TEST_CASE("what was not looked at can be kept for later") {
    message_reader reader{{}};
    received_message got;
    {
        std::string octets = frame(opcode::text, true, "one") + frame(opcode::text, true, "two") +
                             frame(opcode::text, true, "three").substr(0, 9);
        reader.feed(octets);
        REQUIRE(reader.next(got) == message_reader::status::message);
        reader.keep();
    }
    CHECK(reader.held() > 0);
    REQUIRE(reader.next(got) == message_reader::status::message);
    CHECK(got.payload == "two");
    reader.keep();
    std::string rest = frame(opcode::text, true, "three").substr(9) + frame(opcode::ping, true, "p");
    reader.feed(rest);
    REQUIRE(reader.next(got) == message_reader::status::message);
    CHECK(got.payload == "three");
    REQUIRE(reader.next(got) == message_reader::status::message);
    CHECK(got.what == opcode::ping);
    CHECK(reader.next(got) == message_reader::status::need_more);
    CHECK(reader.held() == 0);
}

}  // namespace mbus::websocket
