// Heads, masks and close frames (RFC 6455, sections 5 and 7).
#include "frames.hpp"

namespace mbus::websocket {

using namespace testing;

TEST_CASE("the length of a payload takes 7 bits, 16 or 64 (s5.2)") {
    struct row {
        std::uint64_t payload;
        const char* head;
    };
    for (const auto& [payload, head] : {row{0, "82 00"}, row{125, "82 7d"}, row{126, "82 7e 00 7e"},
                                        row{256, "82 7e 01 00"}, row{65535, "82 7e ff ff"},
                                        row{65536, "82 7f 00 00 00 00 00 01 00 00"}}) {
        CAPTURE(payload);
        std::array<char, head_octets_max> out{};
        const auto octets = write_head(out.data(), {opcode::binary, true, 0, payload, {}});
        CHECK(std::string(out.data(), octets) == from_hex(head));
        CHECK(octets == head_octets(payload, false));
        CHECK(head_octets(out.data()) == octets);
        CHECK(read_head(out.data()).payload == payload);
        CHECK(is_minimal(out.data()));
    }
}

TEST_CASE("a mask covers its payload from wherever it begins (s5.3)") {
    for (std::size_t count = 0; count < 40; ++count) {
        for (std::size_t at = 0; at < 8; ++at) {
            const std::string plain(count, 'x');
            std::string fast = plain;
            apply_mask(fast.data(), count, rfc_mask, at);
            std::string slow = plain;
            for (std::size_t i = 0; i < count; ++i) slow[i] = static_cast<char>(slow[i] ^ rfc_mask[(at + i) % 4]);
            REQUIRE(fast == slow);
        }
    }
}

TEST_CASE("a masked frame is the RFC's own (s5.7)") {
    std::string out;
    append_frame(out, opcode::text, "Hello", rfc_mask);
    CHECK(out == from_hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"));
}

TEST_CASE("the reason of a close frame is cut at a character (s5.5)") {
    const std::string reason = std::string(122, 'a') + "\xc3\xa9";
    const std::string payload = close_payload(close_code::policy, reason);
    CHECK(payload.size() == 2 + 122);
    CHECK(payload.substr(0, 2) == from_hex("03 f0"));
    CHECK(close_payload(close_code::none, "x").empty());
    CHECK(close_payload(close_code::normal, "a\xff" "b") == from_hex("03 e8 61"));
}

TEST_CASE("close codes that may be sent (s7.4)") {
    for (const int code : {1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999}) {
        CHECK_MESSAGE(may_be_sent(static_cast<std::uint16_t>(code)), code);
    }
    for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
        CHECK_MESSAGE(!may_be_sent(static_cast<std::uint16_t>(code)), code);
    }
}

}  // namespace mbus::websocket
