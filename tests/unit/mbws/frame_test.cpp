// The binary frame (docs/mbws.md, sections 2.1, 2.3, 2.4).
#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "mbws/frame.hpp"
#include "message/text.hpp"

namespace mbus::mbws {
namespace {

std::string octets(std::initializer_list<int> values) {
    std::string made;
    for (const int value : values) made.push_back(static_cast<char>(value));
    return made;
}

std::string head(int verb, int flags, int header, int body, int number) {
    return octets({verb, flags, header >> 8, header & 0xFF, 0, 0, body >> 8, body & 0xFF, 0, 0, 0, 0, 0, 0,
                   number >> 8, number & 0xFF});
}

std::string frame_with(const std::string& fields, const std::string& body = {}) {
    return head(7, 0, static_cast<int>(16 + fields.size()), static_cast<int>(body.size()), 0) + fields + body;
}

const char* decode(const std::string& text) {
    static frame_view frame;
    return decode_frame(text, frame);
}

}  // namespace

TEST_CASE("the worked example is read and written octet for octet (s2.2)") {
    const std::string expected =
        octets({0x07, 0x01, 0x00, 0x1f, 0, 0, 0, 0x1a, 0, 0, 0, 0, 0, 0, 0, 0x2a, 0x01, 0x00, 0x0c}) +
        "(app:player)" + "player.play (\"song.mp3\" 3)";
    std::string made;
    REQUIRE(frame_writer{made, verb::message, flag::reliable, 42}
                .set(key::to, "(app:player)")
                .finish("player.play (\"song.mp3\" 3)"));
    CHECK(made == expected);
    frame_view frame;
    REQUIRE(decode_frame(expected, frame) == nullptr);
    CHECK(frame.verb == verb::message);
    CHECK(frame.reliable());
    CHECK_FALSE(frame.receipt_wanted());
    CHECK(frame.number == 42);
    CHECK(frame.text(key::to) == "(app:player)");
    CHECK(frame.body == "player.play (\"song.mp3\" 3)");
    CHECK_FALSE(frame.has(key::from));
    CHECK(frame.text(key::from).empty());
}

TEST_CASE("verbs and fields have the codes and names of the tables (s2.3, s2.4)") {
    CHECK(static_cast<int>(verb::connect) == 1);
    CHECK(static_cast<int>(verb::error) == 17);
    CHECK(to_string(verb::receipt) == "receipt");
    CHECK(verb_from_string("watch") == verb::watch);
    CHECK(verb_from_string("WATCH") == verb::unknown);
    CHECK(to_string(static_cast<verb>(18)).empty());
    CHECK(to_string(key::origin) == "origin");
    CHECK(static_cast<int>(key::sequence) == 35);
    CHECK(static_cast<int>(key::interface) == 36);
    CHECK(key_from_string("took") == key::took);
    CHECK_FALSE(key_from_string("nothing"));
    for (int code = 1; code <= 17; ++code) {
        const auto which = static_cast<verb>(code);
        CHECK(verb_from_string(to_string(which)) == which);
    }
    for (std::size_t code = 1; code < keys_end; ++code) {
        const auto which = static_cast<key>(code);
        CHECK(key_from_string(to_string(which)) == which);
        CHECK(kind_of(which) != value_kind::none);
    }
    CHECK(octets_of(kind_of(key::tried)) == 1);
    CHECK(octets_of(kind_of(key::version)) == 2);
    CHECK(octets_of(kind_of(key::window)) == 4);
    CHECK(octets_of(kind_of(key::about)) == 8);
    CHECK(octets_of(kind_of(key::resumed)) == 1);
}

TEST_CASE("integers are big-endian and of the size of the field (s2.1, s2.4)") {
    std::string made;
    append_field(made, key::version, std::uint64_t{1});
    append_field(made, key::tried, std::uint64_t{4});
    append_field(made, key::ttl, std::uint64_t{0x01020304});
    append_field(made, key::about, std::uint64_t{0x0102030405060708});
    CHECK(made ==
          octets({17, 0, 2, 0, 1, 27, 0, 1, 4, 13, 0, 4, 1, 2, 3, 4, 31, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8}));
    frame_view frame;
    REQUIRE(decode_frame(frame_with(made), frame) == nullptr);
    CHECK(frame.integer(key::about) == 0x0102030405060708);
    CHECK(frame.integer32(key::ttl) == 0x01020304);
    CHECK(frame.integer(key::took, 9) == 9);
}

TEST_CASE("unknown flags and unknown keys are ignored (s2.1)") {
    std::string text = head(7, 0xF9, 16 + 8, 0, 0) + octets({200, 0, 5}) + "later";
    frame_view frame;
    REQUIRE(decode_frame(text, frame) == nullptr);
    CHECK(frame.flags == flag::reliable);
    CHECK(frame.presence() == 0);
    text = frame_with(octets({0, 0, 0}) + octets({200, 0, 0}) + octets({200, 0, 0}));
    CHECK(decode_frame(text, frame) == nullptr);
}

TEST_CASE("an unknown verb is readable, so that its sender can be told (s3)") {
    frame_view frame;
    REQUIRE(decode_frame(head(99, 0, 16, 0, 5), frame) == nullptr);
    CHECK(to_string(frame.verb).empty());
}

TEST_CASE("bad frames (s2.1)") {
    SUBCASE("shorter than a header") { CHECK(decode(std::string(15, '\0')) != nullptr); }
    SUBCASE("H below 16") { CHECK(decode(head(7, 0, 15, 1, 0)) != nullptr); }
    SUBCASE("H and B do not add up") {
        CHECK(decode(head(7, 0, 16, 1, 0)) != nullptr);
        CHECK(decode(head(7, 0, 16, 0, 0) + "x") != nullptr);
    }
    SUBCASE("fields that do not end at H") {
        CHECK(decode(frame_with(octets({1}))) != nullptr);
        CHECK(decode(frame_with(octets({1, 0}))) != nullptr);
        CHECK(decode(frame_with(octets({1, 0, 2}) + "a")) != nullptr);
        CHECK(decode(head(7, 0, 20, 1, 0) + octets({1, 0, 2}) + "ab") != nullptr);  // reaches into the body
    }
    SUBCASE("an integer of another size") {
        CHECK(decode(frame_with(octets({13, 0, 2, 0, 1}))) != nullptr);
        CHECK(decode(frame_with(octets({13, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1}))) != nullptr);
        CHECK(decode(frame_with(octets({31, 0, 4, 0, 0, 0, 1}))) != nullptr);
        CHECK(decode(frame_with(octets({27, 0, 0}))) != nullptr);
    }
    SUBCASE("yes/no of another value") { CHECK(decode(frame_with(octets({22, 0, 1, 2}))) != nullptr); }
    SUBCASE("a known key twice") {
        CHECK(decode(frame_with(octets({1, 0, 1}) + "a" + octets({1, 0, 1}) + "a")) != nullptr);
    }
    SUBCASE("text with a control character") {
        CHECK(decode(frame_with(octets({1, 0, 1, 0x1F}))) != nullptr);
        CHECK(decode(frame_with(octets({1, 0, 1, 0x7F}))) != nullptr);
        CHECK(decode(frame_with(octets({1, 0, 1, 0}))) != nullptr);
        CHECK(decode(frame_with(octets({1, 0, 12}) + "aaaaaaaa\naaa")) != nullptr);
    }
    SUBCASE("text that is not UTF-8") {
        CHECK(decode(frame_with(octets({18, 0, 1, 0x80}))) != nullptr);
        CHECK(decode(frame_with(octets({18, 0, 2, 0xC0, 0x80}))) != nullptr);
        CHECK(decode(frame_with(octets({18, 0, 3, 0xED, 0xA0, 0x80}))) != nullptr);
        CHECK(decode(frame_with(octets({18, 0, 2, 0xE2, 0x82}))) != nullptr);
        CHECK(decode(frame_with(octets({18, 0, 4, 0xF4, 0x90, 0x80, 0x80}))) != nullptr);
    }
}

TEST_CASE("text fields hold any UTF-8 (s2.1)") {
    const std::string name = "Grüße, 世界 \xF0\x9F\x8E\xB5 and eight more";
    std::string fields;
    append_field(fields, key::name, name);
    frame_view frame;
    const std::string text = frame_with(fields);
    REQUIRE(decode_frame(text, frame) == nullptr);
    CHECK(frame.text(key::name) == name);
}

TEST_CASE("the check of text by eight octets agrees with the check octet by octet") {
    for (int octet = 0; octet < 256; ++octet) {
        for (std::size_t at = 0; at < 17; ++at) {
            std::string text(17, 'x');
            text[at] = static_cast<char>(octet);
            CHECK(is_field_text(text) == (octet >= 0x20 && octet < 0x7F));
            CHECK(mbus::text::is_utf8(text) == (octet < 0x80));
        }
    }
}

TEST_CASE("text for a field is made from anything, cut at a character") {
    CHECK(make_field_text("a\nb\x7F\xFF", 100) == "a?b??");
    CHECK(make_field_text("aü", 2) == "a");
    CHECK(make_field_text("aü", 3) == "aü");
}

TEST_CASE("a header beyond 65535 octets is refused and taken back (s2.1)") {
    std::string made = "before";
    CHECK_FALSE(frame_writer{made, verb::message}.set(key::to, std::string(65530, 'a')).finish());
    CHECK(made == "before");
    CHECK_FALSE(frame_writer{made, verb::message}.set(key::to, std::string(70000, 'a')).finish());
    CHECK(made == "before");
    CHECK(frame_writer{made, verb::message}.set(key::to, std::string(65516, 'a')).finish());
    CHECK(made.size() == 6 + 65535);
}

}  // namespace mbus::mbws
