// What a client writes, a server reads, and back, in every binding and however it is cut.
#include "websocket_fixtures.hpp"

#include <rapidcheck.h>

#include "mbws/prepared_message.hpp"

namespace mbus::mbws {

using namespace testing;

namespace {

// Evenly, for small cases too.
std::size_t anywhere(std::size_t from, std::size_t end) {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(from, end));
}

std::string some_body() {
    if (anywhere(0, 8) == 7) {
        return std::string(anywhere(60000, 200000), static_cast<char>(anywhere('a', 'z')));
    }
    return *rc::gen::arbitrary<std::string>();
}

// Binary forms of frames as a session writes them.
std::vector<std::string> some_frames() {
    std::vector<std::string> frames;
    const int count = *rc::gen::inRange(1, 12);
    for (int i = 0; i < count; ++i) {
        frame_view frame;
        const std::string body = some_body();
        switch (anywhere(0, 4)) {
        case 0: frame = message(static_cast<std::uint64_t>(i), body); break;
        case 1: frame = plain(verb::ack, static_cast<std::uint64_t>(i) + 1); break;
        case 2:
            frame = plain(verb::ping);
            frame.body = std::string_view{body}.substr(0, ping_octets_max);
            break;
        default:
            frame = plain(verb::attach);
            frame.set(key::request, static_cast<std::uint64_t>(i) + 1).set(key::entity, "(app:ui)");
            break;
        }
        frames.push_back(binary(frame));
    }
    return frames;
}

bool is_urgent(const std::string& frame) {
    const auto which = static_cast<verb>(frame.front());
    return which == verb::ack || which == verb::ping || which == verb::pong;
}

std::vector<std::string> only(const std::vector<std::string>& frames, bool urgent) {
    std::vector<std::string> found;
    std::copy_if(frames.begin(), frames.end(), std::back_inserter(found),
                 [urgent](const std::string& each) { return is_urgent(each) == urgent; });
    return found;
}

// Frames through a port to an input, in random pieces, appended at random moments.
template <class Port>
std::vector<std::string> pass(const std::vector<std::string>& frames, Port& port, websocket_input& input) {
    std::vector<arrived> found;
    const auto move_some = [&](std::size_t octets) { read(input, take(port, octets), found); };
    for (const auto& each : frames) {
        frame_view view;
        RC_ASSERT(decode_frame(each, view) == nullptr);
        const auto head = read_frame_head(each.data());
        const std::string_view all{each};
        port.append({head.verb, head.flags, head.number, {}, all.substr(16, head.header_octets - 16U),
                     all.substr(head.header_octets), nullptr});
        if (*rc::gen::arbitrary<bool>()) move_some(anywhere(0, 100000));
    }
    move_some(all_octets);
    RC_ASSERT(!input.failed());
    RC_ASSERT(input.held() == 0U);
    std::vector<std::string> octets;
    for (const auto& each : found) octets.push_back(each.octets);
    return octets;
}

void check_order(const std::vector<std::string>& sent, const std::vector<std::string>& got) {
    RC_ASSERT(sent.size() == got.size());
    RC_ASSERT(only(sent, true) == only(got, true));
    RC_ASSERT(only(sent, false) == only(got, false));
}

}  // namespace

TEST_CASE("what either side writes in any binding the other reads") {
    for (const auto how : {binding::text, binding::binary, binding::native}) {
        for (const bool from_client : {true, false}) {
            CHECK(rc::check("round trip", [how, from_client] {
                const auto frames = some_frames();
                counting_masks masks;
                plain_websocket_port port{how, from_client ? &masks : nullptr};
                websocket_input input{{from_client ? websocket::role::server : websocket::role::client,
                                       how == binding::native, frame_octets_limit}};
                const auto got = pass(frames, port, input);
                if (how == binding::native) {
                    check_order(frames, got);
                } else {
                    RC_ASSERT(frames == got);
                }
            }));
        }
    }
}

TEST_CASE("the output of a client's session arrives whole") {
    for (const auto how : {binding::binary, binding::native}) {
        CHECK(rc::check("client output", [how] {
            const auto frames = some_frames();
            std::string session_output;
            for (const auto& each : frames) session_output += each;
            counting_masks masks;
            websocket_output out{masks, how};
            websocket_input input{{websocket::role::server, how == binding::native, frame_octets_limit}};
            std::vector<arrived> found;
            std::string_view rest = session_output;
            while (!rest.empty() || out.waiting() > 0) {
                rest.remove_prefix(out.take(rest));
                const auto piece = out.front().substr(0, anywhere(1, 100000));
                read(input, std::string{piece}, found);
                out.consumed(piece.size());
            }
            RC_ASSERT(!input.failed());
            std::vector<std::string> got;
            for (const auto& each : found) got.push_back(each.octets);
            check_order(frames, got);
        }));
    }
}

TEST_CASE("one prepared message reads the same for receivers of all bindings") {
    CHECK(rc::check("prepared", [] {
        message_preparer preparer;
        const std::string body = some_body();
        const auto what = preparer.prepare({.to = "()", .from = "(app:player)", .time = 77, .body = body});
        std::vector<std::string> got;
        for (const auto how : {binding::text, binding::binary, binding::native}) {
            plain_websocket_port port{how};
            port.append({verb::message, flag::reliable, 5, {}, what->fields(), what->body(), &what});
            websocket_input input{{websocket::role::client, how == binding::native, frame_octets_limit}};
            std::vector<arrived> found;
            while (port.waiting() > 0) read(input, take(port, anywhere(1, 70000)), found);
            RC_ASSERT(found.size() == 1U);
            got.push_back(found.front().octets);
        }
        RC_ASSERT(got[0] == got[1]);
        RC_ASSERT(got[1] == got[2]);
    }));
}

}  // namespace mbus::mbws
