// Frames out of a WebSocket (docs/mbws.md, sections 2, 7 and 8).
#include "websocket_fixtures.hpp"

namespace mbus::mbws {

using namespace testing;
using websocket::close_code;
using websocket::opcode;
using status = websocket_input::status;

namespace {

constexpr websocket_input::rules plainly{};
constexpr websocket_input::rules natively{websocket::role::server, true, frame_octets_default};

// The close code with which a fresh input refuses `octets`; none when it does not.
close_code refusal(const std::string& octets, const websocket_input::rules& rules = plainly) {
    websocket_input input{rules};
    static_cast<void>(read(input, octets));
    return input.failed() ? input.failure_code() : close_code::none;
}

}  // namespace

TEST_CASE("text and binary messages are frames, in any mixture (s2)") {
    websocket_input input{plainly};
    const auto found = read(input, client_frame(opcode::text, true, "message 1\nto: (app:player)\n\na.b()") +
                                       client_frame(opcode::binary, true, binary(message(2, "c.d()"))));
    REQUIRE(found.size() == 2);
    CHECK(found[0].how == binding::text);
    CHECK(found[0].frame() == message(1, "a.b()"));
    CHECK(found[1].how == binding::binary);
    CHECK(found[1].frame() == message(2, "c.d()"));
}

TEST_CASE("pings, pongs and the close frame are told") {
    websocket_input input{plainly};
    const auto found = read(input, client_frame(opcode::ping, true, "p") + client_frame(opcode::pong, true, "q") +
                                       client_frame(opcode::close, true, "\x03\xe9" "bye"));
    REQUIRE(found.size() == 3);
    CHECK(found[0] == arrived{status::ping, binding::binary, "p", close_code::none});
    CHECK(found[1] == arrived{status::pong, binding::binary, "q", close_code::none});
    CHECK(found[2] == arrived{status::closed, binding::binary, "bye", close_code::going_away});
}

TEST_CASE("messages that are no frames are bad-frame and 1002") {
    CHECK(refusal(client_frame(opcode::binary, true, "short")) == close_code::protocol_error);
    CHECK(refusal(client_frame(opcode::binary, true, binary(message(1, "x")) + "y")) == close_code::protocol_error);
    CHECK(refusal(client_frame(opcode::binary, true, binary(message(1, "x")) + binary(message(2, "x")))) ==
          close_code::protocol_error);
    CHECK(refusal(client_frame(opcode::text, true, "message x")) == close_code::protocol_error);
    websocket_input input{plainly};
    static_cast<void>(read(input, client_frame(opcode::binary, true, "short")));
    CHECK(input.failure().code == errc::bad_frame);
    CHECK(input.failure().text.find("16 octets") != std::string::npos);
}

TEST_CASE("what WebSocket itself forbids keeps its close code") {
    CHECK(refusal(client_frame(opcode::text, true, "message\n\xff")) == close_code::not_utf8);
    CHECK(refusal(client_frame(opcode::extension_data, true, binary(message(1, "x")))) == close_code::protocol_error);
    CHECK(refusal(client_frame(opcode::extension_control, true, binary(plain(verb::ack, 1)))) ==
          close_code::protocol_error);
    const websocket_input::rules small{websocket::role::server, false, 1000};
    CHECK(refusal(client_frame(opcode::binary, true, binary(message(1, std::string(1000, 'x')))), small) ==
          close_code::too_large);
    websocket_input input{small};
    static_cast<void>(read(input, client_frame(opcode::binary, true, binary(message(1, std::string(1000, 'x'))))));
    CHECK(input.failure().code == errc::too_large);
}

TEST_CASE("with the extension messages have the opcode 3, short frames B, others 2 (s8)") {
    websocket_input input{natively};
    const auto found = read(input, client_frame(opcode::binary, true, binary(plain(verb::close))) +
                                       client_frame(opcode::extension_data, true, binary(message(1, "x"))) +
                                       client_frame(opcode::extension_control, true, binary(plain(verb::ack, 7))) +
                                       client_frame(opcode::text, true, "ping"));
    REQUIRE(found.size() == 4);
    CHECK(found[0].frame() == plain(verb::close));
    CHECK(found[0].how == binding::native);
    CHECK(found[1].frame() == message(1, "x"));
    CHECK(found[2].frame() == plain(verb::ack, 7));
    CHECK(found[3].how == binding::text);  // text frames stay legal
}

TEST_CASE("a native message may come in any fragments, with control frames between (s8)") {
    const std::string octets = binary(message(1, "0123456789"));
    const std::size_t header = octets.size() - 10;
    websocket_input input{natively};
    const auto found = read(
        input, client_frame(opcode::extension_data, false, octets.substr(0, header)) +
                   client_frame(opcode::extension_control, true, binary(plain(verb::ack, 3))) +
                   client_frame(opcode::continuation, false, "") +
                   client_frame(opcode::continuation, false, octets.substr(header, 4)) +
                   client_frame(opcode::ping, true, "") + client_frame(opcode::continuation, true, octets.substr(header + 4)));
    REQUIRE(found.size() == 3);
    CHECK(found[0].frame() == plain(verb::ack, 3));
    CHECK(found[1].what == status::ping);
    CHECK(found[2].frame() == message(1, "0123456789"));
}

TEST_CASE("the header stands whole in the first frame of a native message (s8)") {
    const std::string octets = binary(message(1, "0123456789"));
    const std::size_t header = octets.size() - 10;
    const auto cut_at = [&](std::size_t at) {
        return refusal(client_frame(opcode::extension_data, false, octets.substr(0, at)) +
                           client_frame(opcode::continuation, true, octets.substr(at)),
                       natively);
    };
    CHECK(cut_at(header) == close_code::none);
    CHECK(cut_at(header + 3) == close_code::none);
    CHECK(cut_at(header - 1) == close_code::protocol_error);
    CHECK(cut_at(0) == close_code::protocol_error);
}

TEST_CASE("a verb under the wrong native opcode is a protocol error (s8)") {
    CHECK(refusal(client_frame(opcode::extension_data, true, binary(plain(verb::ack, 1))), natively) ==
          close_code::protocol_error);
    CHECK(refusal(client_frame(opcode::extension_control, true, binary(plain(verb::close))), natively) ==
          close_code::protocol_error);
    CHECK(refusal(client_frame(opcode::binary, true, binary(message(1, "x"))), natively) ==
          close_code::protocol_error);
    CHECK(refusal(client_frame(opcode::extension_control, false, binary(plain(verb::ack, 1))), natively) ==
          close_code::protocol_error);
    CHECK(refusal(client_frame(opcode::extension_data, true, binary(message(1, "x")) + "y"), natively) ==
          close_code::protocol_error);
}

}  // namespace mbus::mbws
