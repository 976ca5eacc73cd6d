// Runs of messages on a WebSocket, whose bindings have no numbers for addresses (docs/mbws.md, section 7).
#include <rapidcheck.h>

#include "mbws/message_run.hpp"
#include "websocket_fixtures.hpp"

namespace mbus::mbws::testing {
namespace {

constexpr std::string_view run_to = "(app:player)";
constexpr std::string_view run_from = "(app:ui id:1-1@10.0.0.1)";

void append_singly(plain_websocket_port& port, message_preparer& preparer, const std::vector<std::string>& bodies,
                   std::uint64_t number, std::uint8_t flags) {
    for (const auto& body : bodies) {
        const auto ready = preparer.prepare({.to = run_to, .from = run_from, .time = 7, .body = body});
        port.append({verb::message, flags, number, {}, ready->fields(), ready->body(), &ready});
        if (number != 0) ++number;
    }
}

}  // namespace

TEST_CASE("who takes runs: the binary forms of a WebSocket, not its text, and not the client's end") {
    counting_masks masks;
    CHECK(plain_websocket_port{binding::binary}.takes_runs());
    CHECK(plain_websocket_port{binding::native}.takes_runs());
    CHECK_FALSE(plain_websocket_port{binding::text}.takes_runs());
    CHECK_FALSE(plain_websocket_port{binding::binary, &masks}.takes_runs());
    plain_websocket_port closed{binding::binary};
    closed.finish(orderly, "");
    CHECK_FALSE(closed.takes_runs());
}

TEST_CASE("a run on a WebSocket is octet by octet what its messages would be") {
    CHECK(rc::check("a run and its messages", [] {
        const auto how = *rc::gen::element(binding::binary, binding::native);
        const auto sizes = *rc::gen::nonEmpty(
            rc::gen::container<std::vector<int>>(rc::gen::oneOf(rc::gen::inRange(0, 100), rc::gen::inRange(1500, 16000))));
        const auto number = static_cast<std::uint64_t>(*rc::gen::inRange(0, 3));
        const auto flags = *rc::gen::element(std::uint8_t{0}, flag::redelivered);
        message_preparer preparer;
        message_run run{preparer};
        RC_ASSERT(run.begin(run_to, run_from));
        std::vector<std::string> bodies;
        for (const int size : sizes) {
            std::string body(static_cast<std::size_t>(size), static_cast<char>('a' + bodies.size() % 26));
            if (!run.add(7, body)) break;
            bodies.push_back(std::move(body));
        }
        plain_websocket_port whole{how};
        plain_websocket_port singly{how};
        auto piece = run.piece();
        piece.number = number;
        piece.flags = flags;
        whole.append_run(piece);
        run.end();
        append_singly(singly, preparer, bodies, number, flags);
        RC_ASSERT(take(whole) == take(singly));
    }));
}

TEST_CASE("large bodies of a run on a WebSocket are written from where they are, and live until then") {
    message_preparer preparer;
    message_run run{preparer};
    plain_websocket_port port{binding::binary};
    std::vector<std::string> bodies;
    for (int round = 0; round < 8; ++round) {
        REQUIRE(run.begin(run_to, run_from));
        for (int i = 0; i < 3; ++i) {
            bodies.emplace_back(5000, static_cast<char>('a' + round));
            REQUIRE(run.add(7, bodies.back()));
        }
        port.append_run(run.piece());
        run.end();
    }
    websocket_input input{{.side = websocket::role::client}};
    const auto found = read(input, take(port));
    REQUIRE(found.size() == bodies.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        CHECK(found[i].frame().body == bodies[i]);
        CHECK(found[i].frame().text(key::to) == run_to);
        CHECK(found[i].frame().text(key::from) == run_from);
    }
}

}  // namespace mbus::mbws::testing
