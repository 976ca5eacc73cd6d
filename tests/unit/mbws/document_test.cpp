// docs/mbws.md is true: its octet dumps are the frames that it says they are, and its tables are ours.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "mbws/frame.hpp"
#include "mbws/text_frame.hpp"

namespace mbus::mbws {
namespace {

std::string document() {
    std::ifstream file{MBUS_SOURCE_DIR "/docs/mbws.md"};
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
}

// The contents of all fenced blocks of one language.
std::vector<std::string> blocks(const std::string& text, const std::string& language) {
    std::vector<std::string> found;
    const std::string open = "```" + language + "\n";
    for (std::size_t at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
        at += open.size();
        const std::size_t end = text.find("\n```", at);
        found.push_back(text.substr(at, end - at));
        at = end;
    }
    return found;
}

std::string from_hex(const std::string& text) {
    std::string octets;
    std::string digits;
    for (const char c : text) {
        if (c == ' ' || c == '\n') continue;
        digits += c;
        if (digits.size() < 2) continue;
        octets += static_cast<char>(std::stoi(digits, nullptr, 16));
        digits.clear();
    }
    REQUIRE(digits.empty());
    return octets;
}

}  // namespace

TEST_CASE("each octet dump of the document is the frame that follows it") {
    const std::string text = document();
    const auto dumps = blocks(text, "octets");
    const auto frames = blocks(text, "frame");
    REQUIRE(dumps.size() >= 6);
    REQUIRE(dumps.size() == frames.size());
    for (std::size_t i = 0; i < dumps.size(); ++i) {
        CAPTURE(frames[i]);
        const std::string octets = from_hex(dumps[i]);
        frame_view binary;
        const char* const wrong = decode_frame(octets, binary);
        CAPTURE(std::string{wrong == nullptr ? "" : wrong});
        REQUIRE(wrong == nullptr);
        frame_view written;
        REQUIRE(parse_text_frame(frames[i], written));
        CHECK(binary == written);
    }
}

TEST_CASE("the document's tables of verbs and fields are the code's") {
    const std::string text = document();
    for (int code = 1; code <= 17; ++code) {
        const std::string row =
            "| " + std::to_string(code) + " | " + std::string{to_string(static_cast<verb>(code))} + " | ";
        CHECK_MESSAGE(text.find(row) != std::string::npos, row);
    }
    for (std::size_t code = 1; code < keys_end; ++code) {
        const auto which = static_cast<key>(code);
        const char* kind = "";
        switch (kind_of(which)) {
        case value_kind::text: kind = "text"; break;
        case value_kind::yes_no: kind = "yes/no"; break;
        case value_kind::u8: kind = "u8"; break;
        case value_kind::u16: kind = "u16"; break;
        case value_kind::u32: kind = "u32"; break;
        case value_kind::u64: kind = "u64"; break;
        case value_kind::none: break;
        }
        const std::string row =
            "| " + std::to_string(code) + " | " + std::string{to_string(which)} + " | " + kind + " | ";
        CHECK_MESSAGE(text.find(row) != std::string::npos, row);
    }
    for (int code = 0; code <= static_cast<int>(errc::internal); ++code) {
        const std::string row = "| " + std::string{to_string(static_cast<errc>(code))} + " | ";
        CHECK_MESSAGE(text.find(row) != std::string::npos, row);
    }
}

}  // namespace mbus::mbws
