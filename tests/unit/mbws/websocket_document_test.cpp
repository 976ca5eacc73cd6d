// docs/mbws.md is true: its dumps of WebSocket frames carry the frames that it says.
#include "websocket_fixtures.hpp"

#include <fstream>
#include <sstream>

namespace mbus::mbws {

using namespace testing;

namespace {

// The octets of all blocks marked `websocket`.
std::vector<std::string> dumps() {
    std::ifstream file{MBUS_SOURCE_DIR "/docs/mbws.md"};
    std::vector<std::string> found;
    bool inside = false;
    std::string digits;
    for (std::string line; std::getline(file, line);) {
        if (line == "```websocket") {
            inside = true;
            found.emplace_back();
            continue;
        }
        if (line == "```") inside = false;
        for (const char c : inside ? line : std::string{}) {
            if (c == ' ') continue;
            digits += c;
            if (digits.size() < 2) continue;
            found.back() += static_cast<char>(std::stoi(digits, nullptr, 16));
            digits.clear();
        }
    }
    return found;
}

frame_view sample() {
    frame_view frame = message(42, "player.play (\"song.mp3\" 3)");
    frame.flags = flag::reliable;
    return frame;
}

std::vector<arrived> read_dump(const std::string& octets, bool native) {
    const bool masked = (static_cast<unsigned char>(octets.at(1)) & 0x80U) != 0;
    websocket_input input{{masked ? websocket::role::server : websocket::role::client, native, 1000}};
    auto found = read(input, octets);
    CHECK_FALSE(input.failed());
    CHECK(input.held() == 0);
    return found;
}

}  // namespace

TEST_CASE("the document's dumps of WebSocket frames are the message that it says") {
    const auto found = dumps();
    REQUIRE(found.size() == 3);
    for (std::size_t i = 0; i < 2; ++i) {
        const auto frames = read_dump(found[i], false);
        REQUIRE(frames.size() == 1);
        CHECK(frames[0].frame() == sample());
    }
    const auto native = read_dump(found[2], true);
    REQUIRE(native.size() == 2);
    CHECK(native[0].frame() == plain(verb::ack, 7));
    CHECK(native[1].frame() == sample());
}

}  // namespace mbus::mbws
