#include <doctest/doctest.h>

#include <string>

#include <mbus/message.hpp>

using mbus::dialect;
using mbus::errc;
using mbus::message_type;
using mbus::parse_header;
using mbus::parse_message;

namespace {

constexpr auto good = "mbus/1.0 7 1017619201500 R (app:a id:1-1@10.0.0.1) (app:b) (3 4)\r\nx(1)\r\n";

std::string header_with(std::string_view sequence, std::string_view time = "0", std::string_view type = "U",
                        std::string_view acks = "()") {
    std::string text = "mbus/1.0 ";
    text.append(sequence).append(" ").append(time).append(" ").append(type).append(" (id:1-1@h) () ").append(acks);
    return text;
}

}  // namespace

TEST_CASE("a message is read field by field (RFC 3259 s3)") {
    const auto read = parse_message(good);
    REQUIRE(read);
    CHECK(read->header.sequence_number == 7);
    CHECK(read->header.timestamp == 1017619201500);
    CHECK(read->header.type == message_type::reliable);
    CHECK(read->header.source.text() == "(app:a id:1-1@10.0.0.1)");
    CHECK(read->header.destination.text() == "(app:b)");
    CHECK(read->header.acknowledgements == std::vector<std::uint32_t>{3, 4});
    REQUIRE(read->commands.size() == 1);
    CHECK(read->commands[0].name == "x");
    CHECK(*mbus::format_message(*read) == good);
}

TEST_CASE("the protocol is mbus/1.0, case-sensitive (RFC 3259 s3) [item 1]") {
    CHECK(parse_header("MBUS/1.0 1 1 U (id:1-1@h) () ()").error().code == errc::syntax);
    CHECK(parse_header("mbus/1.1 1 1 U (id:1-1@h) () ()").error().code == errc::bad_version);
    CHECK(parse_header("mbus/1.01 1 1 U (id:1-1@h) () ()").error().code == errc::bad_version);
    CHECK_FALSE(parse_header(""));
    CHECK_FALSE(parse_header("mbus/1.0"));
}

TEST_CASE("seven fields stand in order, blanks and tabs between them (RFC 3259 s5.2) [item 2]") {
    CHECK(parse_header("mbus/1.0\t 1 \t 2\tU  (id:1-1@h)\t()\t\t()"));
    CHECK_FALSE(parse_header("mbus/1.0 1 U (id:1-1@h) () ()"));
    CHECK_FALSE(parse_header("mbus/1.0 1 2 U (id:1-1@h) ()"));
    CHECK_FALSE(parse_header("mbus/1.0 1 2 U (id:1-1@h)() ()"));
    CHECK_FALSE(parse_header("mbus/1.0 1 2 U (id:1-1@h) () () x"));
}

TEST_CASE("SeqNum has 1 to 10 digits, at most 4294967295 (RFC 3259 s5.2) [item 7]") {
    CHECK(parse_header(header_with("4294967295"))->header.sequence_number == 4294967295U);
    CHECK(parse_header(header_with("0000000007"))->header.sequence_number == 7);
    CHECK_FALSE(parse_header(header_with("4294967296")));
    CHECK_FALSE(parse_header(header_with("00000000001")));
    CHECK_FALSE(parse_header(header_with("-1")));
    CHECK_FALSE(parse_header(header_with("")));
}

TEST_CASE("TimeStamp has 1 to 13 digits (RFC 3259 s5.2) [item 9]") {
    CHECK(parse_header(header_with("1", "0")));
    CHECK(parse_header(header_with("1", "9999999999999"))->header.timestamp == 9999999999999U);
    CHECK_FALSE(parse_header(header_with("1", "10000000000000")));
}

TEST_CASE("MessageType is R or U (RFC 3259 s5.2) [item 10]") {
    CHECK_FALSE(parse_header(header_with("1", "0", "r")));
    CHECK_FALSE(parse_header(header_with("1", "0", "X")));
    CHECK(parse_header(header_with("1", "0", "r"), dialect::legacy)->header.type == message_type::reliable);
    CHECK(parse_header(header_with("1", "0", "u"), dialect::legacy)->header.type == message_type::unreliable);
    CHECK_FALSE(parse_header(header_with("1", "0", "X"), dialect::legacy));
}

TEST_CASE("an AckList may be empty, padded and of several numbers (RFC 3259 s5.2) [item 14]") {
    const auto acks = [](std::string_view list) {
        const auto read = parse_header(header_with("1", "0", "U", list));
        REQUIRE_MESSAGE(read.has_value(), list);
        return read->header.acknowledgements;
    };
    using numbers = std::vector<std::uint32_t>;
    CHECK(acks("()").empty());
    CHECK(acks("( )").empty());
    CHECK(acks("(1 2)") == numbers{1, 2});
    CHECK(acks("( 1 2 )") == numbers{1, 2});
    CHECK(acks("(     5)") == numbers{5});
    CHECK(acks("(4294967295)") == numbers{4294967295U});
    CHECK_FALSE(parse_header(header_with("1", "0", "U", "(4294967296)")));
    CHECK_FALSE(parse_header(header_with("1", "0", "U", "(12345678901)")));
    CHECK_FALSE(parse_header(header_with("1", "0", "U", "(a)")));
    CHECK_FALSE(parse_header(header_with("1", "0", "U", "(1")));
    CHECK_FALSE(parse_header(header_with("1", "0", "U", "(-1)")));
}

TEST_CASE("an AckList has at most 1024 numbers") {
    std::string list = "(";
    for (std::size_t index = 0; index < mbus::acknowledgements_max; ++index) list += "1 ";
    CHECK(parse_header(header_with("1", "0", "U", list + ")")));
    CHECK_FALSE(parse_header(header_with("1", "0", "U", list + "1)")));
}

TEST_CASE("a message may have no command, with or without a line end (RFC 3259 s5.2, trap S1) [item 15]") {
    for (const auto end : {"", "\n", "\r\n"}) {
        const auto read = parse_message(header_with("1") + end);
        REQUIRE(read);
        CHECK(read->commands.empty());
    }
}

TEST_CASE("bare LF and blanks at the end of the header are read (trap S4)") {
    const auto read = parse_message("mbus/1.0      1 17 U (id:1-1@h ) ( ) (     7) \nx (1 )\n");
    REQUIRE(read);
    CHECK(read->header.acknowledgements == std::vector<std::uint32_t>{7});
    CHECK(read->commands.size() == 1);
}

TEST_CASE("an error has its offset in the whole message") {
    CHECK(parse_header("mbus/1.0 1 2 U (id:1-1@h) (a:) ()").error().offset == 29);
    CHECK(parse_message("mbus/1.0 1 2 U (id:1-1@h) () ()\r\nx(+)").error().offset == 35);
    CHECK(parse_header("mbus/1.0 1 2 U (id:1-1@h) () (x)").error().offset == 30);
}

TEST_CASE("the legacy header ends in LF, its acknowledgements in a blank") {
    mbus::header head;
    head.source = *mbus::address::parse("(id:1-1@h)");
    head.acknowledgements = {5, 6};
    std::string out;
    mbus::append_header(out, head, dialect::legacy);
    CHECK(out == "mbus/1.0 0 0 U (id:1-1@h) () (5 6 )\n");
    out.clear();
    mbus::append_header(out, head);
    CHECK(out == "mbus/1.0 0 0 U (id:1-1@h) () (5 6)\r\n");
}

TEST_CASE("a message beyond one datagram is refused with both sizes [item 51]") {
    mbus::message large;
    large.header.source = *mbus::address::parse("(id:1-1@h)");
    large.commands.push_back({"x", {std::string(65507, 'a')}});
    const auto written = mbus::format_message(large);
    REQUIRE_FALSE(written);
    CHECK(written.error().code == errc::too_large);
    CHECK(written.error().text.find("65507") != std::string::npos);
}
