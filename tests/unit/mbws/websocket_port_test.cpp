// Frames into a WebSocket (docs/mbws.md, sections 2, 6 and 8).
#include "websocket_fixtures.hpp"

#include "mbws/prepared_message.hpp"

namespace mbus::mbws {

using namespace testing;
using websocket::close_code;
using websocket::opcode;
using status = websocket_input::status;

namespace {

websocket_input client_input(bool native = false) {
    return websocket_input{{websocket::role::client, native, frame_octets_limit}};
}

std::vector<arrived> read_as_client(const std::string& octets, bool native = false) {
    auto input = client_input(native);
    auto found = read(input, octets);
    CHECK_FALSE(input.failed());
    return found;
}

message_ref prepared(message_preparer& preparer, std::string_view body) {
    return preparer.prepare({.to = "(app:ui)", .from = "(app:player id:1-1@127.0.0.1)", .time = 5, .body = body});
}

outgoing_frame delivery(const message_ref& what, std::uint64_t number = 0) {
    return {verb::message, 0, number, {}, what->fields(), what->body(), &what};
}

outgoing_frame short_frame(verb which, std::uint64_t number = 0) { return {which, 0, number, {}, {}, {}, nullptr}; }

// The opcodes and lengths of a server's frames.
std::vector<std::pair<int, std::size_t>> heads(std::string_view octets) {
    std::vector<std::pair<int, std::size_t>> found;
    while (!octets.empty()) {
        const auto head = websocket::read_head(octets.data());
        found.emplace_back(static_cast<int>(head.what), head.payload);
        octets.remove_prefix(websocket::head_octets(octets.data()) + head.payload);
    }
    return found;
}

}  // namespace

TEST_CASE("a prepared message reads the same in every binding") {
    message_preparer preparer;
    for (const std::size_t size : {0U, 3U, 512U, 513U, 70000U, 200000U}) {
        const auto what = prepared(preparer, std::string(size, 'x'));
        for (const auto how : {binding::text, binding::binary, binding::native}) {
            CAPTURE(size);
            CAPTURE(static_cast<int>(how));
            plain_websocket_port port{how};
            port.append(delivery(what, 42));
            const auto found = read_as_client(take(port), how == binding::native);
            REQUIRE(found.size() == 1);
            CHECK(found[0].how == how);
            const frame_view frame = found[0].frame();
            CHECK(frame.number == 42);
            CHECK(frame.text(key::to) == "(app:ui)");
            CHECK(frame.integer(key::time) == 5);
            CHECK(frame.body == what->body());
        }
    }
}

TEST_CASE("large bodies are written from where they are, for all receivers") {
    message_preparer preparer;
    const auto what = prepared(preparer, std::string(100000, 'x'));
    for (const auto how : {binding::text, binding::binary, binding::native}) {
        plain_websocket_port port{how};
        port.append(delivery(what));
        std::array<octet_span, 8> spans;
        const auto count = port.gather(spans);
        REQUIRE(count >= 2);
        CHECK(spans[1].data == what->body().data());
    }
    CHECK(what->text_lines() == what->text_lines());
}

TEST_CASE("the text form of a message's fields is made once") {
    message_preparer preparer;
    const auto what = prepared(preparer, "a.b()");
    const auto* const lines = what->text_lines();
    REQUIRE(lines != nullptr);
    CHECK(*lines == "to: (app:ui)\nfrom: (app:player id:1-1@127.0.0.1)\ntime: 5\n");
    plain_websocket_port port{binding::text};
    port.append(delivery(what));
    CHECK(what->text_lines()->data() == lines->data());
    CHECK(take(port).substr(2) == "message\n" + *lines + "\na.b()");
}

TEST_CASE("a reused message has the text of its new content") {
    message_preparer preparer;
    for (int i = 0; i < 200; ++i) {
        const std::string to = "(app:n" + std::to_string(i) + ")";
        const auto what = preparer.prepare({.to = to, .from = "(a:b)", .body = i % 3 == 0 ? "\xff" : "x()"});
        const auto* const lines = what->text_lines();
        REQUIRE((lines == nullptr) == (i % 3 == 0));
        if (lines != nullptr) REQUIRE(*lines == "to: " + to + "\nfrom: (a:b)\n");
    }
}

TEST_CASE("a body that is not UTF-8 falls back to binary in the text binding (s2)") {
    message_preparer preparer;
    const auto what = prepared(preparer, "\xff\xfe");
    plain_websocket_port port{binding::text};
    port.append(delivery(what, 3));
    port.append({verb::pong, 0, 0, {}, {}, "\xff", nullptr});
    port.append({verb::pong, 0, 0, {}, {}, "fine", nullptr});
    const auto found = read_as_client(take(port));
    REQUIRE(found.size() == 3);
    CHECK(found[0].how == binding::binary);
    CHECK(found[0].frame().body == "\xff\xfe");
    CHECK(found[1].how == binding::binary);
    CHECK(found[2].how == binding::text);
}

TEST_CASE("fields of one receiver and flags stand in the text form too") {
    message_preparer preparer;
    const auto what = prepared(preparer, "a.b()");
    std::string own;
    append_field(own, key::missed, std::uint64_t{9});
    plain_websocket_port port{binding::text};
    port.append({verb::message, flag::reliable | flag::redelivered, 1, own, what->fields(), what->body(), &what});
    const auto frame = read_as_client(take(port)).at(0).frame();
    CHECK(frame.integer(key::missed) == 9);
    CHECK(frame.reliable());
    CHECK(frame.redelivered());
    CHECK_FALSE(frame.receipt_wanted());
}

TEST_CASE("a native message goes in frames of at most 65535 octets, the first with the header (s8)") {
    message_preparer preparer;
    const auto what = prepared(preparer, std::string(150000, 'x'));
    const std::size_t total = 16 + what->fields().size() + 150000;
    plain_websocket_port port{binding::native};
    port.append(delivery(what));
    const auto found = heads(take(port));
    REQUIRE(found.size() == 3);
    CHECK(found[0] == std::pair<int, std::size_t>{3, 65535});
    CHECK(found[1] == std::pair<int, std::size_t>{0, 65535});
    CHECK(found[2] == std::pair<int, std::size_t>{0, total - 2 * 65535});
}

TEST_CASE("acknowledgements slip in between the fragments of a long message (s8)") {
    message_preparer preparer;
    const auto what = prepared(preparer, std::string(300000, 'x'));
    plain_websocket_port port{binding::native};
    port.append(delivery(what, 1));
    std::string octets = take(port, 70000);  // in the second frame
    port.append(short_frame(verb::ack, 5));
    port.append(short_frame(verb::ping));
    octets += take(port, 70000);
    port.append(short_frame(verb::ack, 6));
    octets += take(port);
    const auto found = heads(octets);
    std::vector<int> codes;
    for (const auto& [code, payload] : found) codes.push_back(code);
    CHECK(codes == std::vector<int>{3, 0, 0xB, 0xB, 0, 0xB, 0, 0});
    const auto frames = read_as_client(octets, true);
    REQUIRE(frames.size() == 4);
    CHECK(frames[0].frame().number == 5);
    CHECK(frames[2].frame().number == 6);
    CHECK(frames[3].frame().body.size() == 300000);
}

TEST_CASE("no acknowledgement overtakes a nak or an answer (s4)") {
    message_preparer preparer;
    const auto what = prepared(preparer, std::string(100000, 'x'));
    plain_websocket_port port{binding::native};
    port.append(delivery(what, 1));
    std::string fields;
    append_field(fields, key::about, std::uint64_t{4});
    port.append({verb::nak, 0, 2, {}, fields, {}, nullptr});
    port.append(delivery(what, 3));
    port.append(short_frame(verb::ack, 4));
    port.append(short_frame(verb::nak, 4));
    port.append(short_frame(verb::ack, 5));
    const auto frames = read_as_client(take(port), true);
    std::vector<std::pair<verb, std::uint64_t>> order;
    for (const auto& each : frames) order.emplace_back(each.frame().verb, each.frame().number);
    CHECK(order == std::vector<std::pair<verb, std::uint64_t>>{{verb::message, 1}, {verb::nak, 2}, {verb::ack, 4},
                                                               {verb::message, 3}, {verb::nak, 4}, {verb::ack, 5}});
}

TEST_CASE("a write that must be repeated gets the same octets again") {
    message_preparer preparer;
    const auto what = prepared(preparer, std::string(100000, 'x'));
    plain_websocket_port port{binding::native};
    port.append(delivery(what, 1));
    std::array<octet_span, 2> before;
    port.gather(before);
    port.hold_order();
    port.append(short_frame(verb::ack, 4));
    std::array<octet_span, 2> after;
    port.gather(after);
    CHECK(before[0].data == after[0].data);
    CHECK(before[1].data == after[1].data);
    CHECK(read_as_client(take(port), true).size() == 2);
}

TEST_CASE("the end is a close frame with the code and the reason (s6)") {
    struct row {
        errc reason;
        close_code code;
        const char* text;
    };
    for (const auto& [reason, code, text] :
         {row{orderly, close_code::normal, ""}, row{errc::shutting_down, close_code::going_away, "shutting-down: why"},
          row{errc::bad_frame, close_code::protocol_error, "bad-frame: why"},
          row{errc::bad_version, close_code::protocol_error, "bad-version: why"},
          row{errc::unauthorized, close_code::policy, "unauthorized: why"},
          row{errc::forbidden, close_code::policy, "forbidden: why"}, row{errc::rate, close_code::policy, "rate: why"},
          row{errc::taken_over, close_code::policy, "taken-over: why"},
          row{errc::overflow, close_code::policy, "overflow: why"},
          row{errc::too_large, close_code::too_large, "too-large: why"},
          row{errc::internal, close_code::internal, "internal: why"},
          row{errc::limit, close_code::try_later, "limit: why"},
          row{errc::timed_out, close_code::internal, "internal: why"}}) {
        CAPTURE(text);
        plain_websocket_port port{binding::binary};
        port.append(short_frame(verb::close));
        port.finish(reason, reason == orderly ? "" : "why");
        CHECK(port.finished());
        port.append(short_frame(verb::ping));
        port.pong("late");
        const auto found = read_as_client(take(port));
        REQUIRE(found.size() == 2);
        CHECK(found[1] == arrived{status::closed, binding::binary, text, code});
    }
}

TEST_CASE("the peer's close frame is answered once") {
    plain_websocket_port port{binding::binary};
    port.answer_close(close_code::going_away);
    port.answer_close(close_code::normal);
    port.finish(errc::internal, "x");
    const auto found = read_as_client(take(port));
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == close_code::going_away);
    plain_websocket_port bare{binding::binary};
    bare.answer_close(close_code::none);
    CHECK(take(bare) == std::string("\x88\x00", 2));
}

TEST_CASE("who sends pings and does not read is not answered for ever") {
    plain_websocket_port port{binding::binary};
    for (int i = 0; i < 10000; ++i) port.pong(std::string(125, 'p'));
    CHECK(port.waiting() < 2 * pong_octets_max);
    CHECK(read_as_client(take(port)).size() > 100);
}

TEST_CASE("a quiet port holds no memory beyond itself") {
    output_port::memory_pool pool;
    plain_websocket_port port{binding::binary};
    port.use(pool);
    port.append(short_frame(verb::ping));
    port.pong("x");
    take(port);
    port.give_back();
    CHECK(port.waiting() == 0);
    CHECK(sizeof(websocket_port) + sizeof(websocket_input) < 1024);
}

}  // namespace mbus::mbws
