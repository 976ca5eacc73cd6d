// Conformance, items 1 to 18: message and header (RFC 3259, sections 3 and 5).
#include <set>

#include "engine_fixture.hpp"

using namespace mbus;
using namespace mbus::lab;
using protocol::peer_state;

TEST_CASE_FIXTURE(engine_fixture, "the first header field is exactly mbus/1.0 (RFC 3259 s3) [item 1]") {
    feed("MBUS/1.0 1 1 U (id:1-1@h) () ()\r\na.b()\r\n");
    feed("mbus/1.1 2 1 U (id:1-1@h) () ()\r\na.b()\r\n");
    feed("mbus/1.0x 3 1 U (id:1-1@h) () ()\r\na.b()\r\n");
    CHECK(texts().empty());
    CHECK(drops(drop_reason::bad_version) == 2);
    CHECK(drops(drop_reason::not_mbus) + drops(drop_reason::bad_header) == 1);
    feed("mbus/1.0 4 1 U (id:1-1@h) () ()\r\na.b()\r\n");
    CHECK(texts().size() == 1);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "seven header fields with runs of blanks and tabs between them (RFC 3259 s5.2) [item 2]") {
    feed("mbus/1.0\t  7 \t 1 U \t(id:1-1@h)\t\t()  ()\r\na.b()\r\n");
    CHECK(texts().size() == 1);
    feed("mbus/1.0 8 1 U (id:1-1@h) ()\r\na.b()\r\n");
    feed("mbus/1.0 9 U (id:1-1@h) () ()\r\na.b()\r\n");
    feed("mbus/1.0 10 1 U (id:1-1@h)() ()\r\na.b()\r\n");
    CHECK(texts().size() == 1);
    CHECK(drops(drop_reason::bad_header) == 3);
}

TEST_CASE("the first SeqNum of an entity is 0 (RFC 3259 s3) [item 3]") {
    engine_fixture f;
    f.lab.run_for(1s);
    REQUIRE_FALSE(f.lab.capture().empty());
    CHECK(f.lab.capture().front().parsed().header.sequence_number == 0);
}

TEST_CASE("SeqNum grows by one for each message, one counter for all destinations (RFC 3259 s3) [item 4]") {
    engine_fixture f;
    f.meet();
    for (int round = 0; round < 250; ++round) {
        REQUIRE(f.it.send(f.own, "()", "a.b()"));
        REQUIRE(f.it.send(f.own, "(media:ui)", "a.b()"));
        REQUIRE(f.it.send(f.own, "(module:ui)", "a.b()", true));
        f.lab.run_for(5ms);
    }
    f.lab.run_for(2s);
    std::uint32_t next = 0;
    std::set<std::uint32_t> seen;
    for (const auto& each : f.lab.capture()) {
        const auto number = each.parsed().header.sequence_number;
        if (!seen.insert(number).second) continue;  // a retransmission keeps its number
        CHECK(number == next++);
    }
    CHECK(next >= 750);
}

TEST_CASE("each local entity has its own counter (RFC 3259 s3) [item 4]") {
    engine_fixture f;
    const auto other = f.it.attach("(app:other)");
    REQUIRE(f.it.send(f.own, "(x:y)", "a.b()"));
    REQUIRE(f.it.send(f.own, "(x:y)", "a.b()"));
    REQUIRE(f.it.send(other, "(x:y)", "a.b()"));
    std::vector<std::uint32_t> numbers;
    for (const auto& each : f.lab.captured_with("a.b"))
        numbers.push_back(each.parsed().header.sequence_number);
    CHECK(numbers == std::vector<std::uint32_t>{0, 1, 0});
}

TEST_CASE("after 4294967295 comes 0 on the wire (RFC 3259 s3) [item 5]") {
    engine_fixture f{{}, {.first_sequence_number = 4294967295U}};
    REQUIRE(f.it.send(f.own, "()", "a.b(1)"));
    REQUIRE(f.it.send(f.own, "()", "a.b(2)"));
    const auto sent = f.lab.captured_with("a.b");
    CHECK(sent[0].parsed().header.sequence_number == 4294967295U);
    CHECK(sent[1].parsed().header.sequence_number == 0);
}

TEST_CASE_FIXTURE(engine_fixture, "a peer's wrap-around is handled (RFC 3259 s3) [item 6]") {
    meet();
    feed("mbus/1.0 4294967295 1700003600000 R " + std::string{peer_text} + " " + std::string{own_text} +
         " ()\r\na.b(1)\r\n");
    feed("mbus/1.0 0 1700003600000 R " + std::string{peer_text} + " " + std::string{own_text} +
         " ()\r\na.b(2)\r\n");
    lab.run_for(100ms);
    CHECK(texts() == std::vector<std::string>{"a.b(1)\r\n", "a.b(2)\r\n"});
    REQUIRE(acks().size() == 1);
    CHECK(acks()[0].parsed().header.acknowledgements == std::vector<std::uint32_t>{4294967295U, 0});
}

TEST_CASE_FIXTURE(engine_fixture, "SeqNum has 1 to 10 digits, at most 4294967295 (RFC 3259 s5.2) [item 7]") {
    feed(message("4294967296", "U", "()", "a.b()"));
    feed(message("00000000001", "U", "()", "a.b()"));
    feed(message("", "U", "()", "a.b()"));
    CHECK(texts().empty());
    CHECK(drops(drop_reason::bad_header) == 3);
    feed(message("4294967295", "U", "()", "a.b()"));
    feed(message("0000000001", "U", "()", "a.b()"));  // leading zeros: trap S12
    CHECK(texts().size() == 2);
}

TEST_CASE("TimeStamp is the time of construction in ms since 1970 (RFC 3259 s3) [item 8]") {
    engine_fixture f;
    f.lab.run_for(1234ms);
    REQUIRE(f.it.send(f.own, "()", "a.b()"));
    CHECK(f.lab.captured_with("a.b").front().parsed().header.timestamp == f.lab.now().wall_ms);
}

TEST_CASE_FIXTURE(engine_fixture, "TimeStamp has 1 to 13 digits (RFC 3259 s5.2) [item 9]") {
    feed(message("1", "U", "()", "a.b()", "()", peer_text, "12345678901234"));
    CHECK(texts().empty());
    CHECK(drops(drop_reason::bad_header) == 1);
    feed(message("2", "U", "()", "a.b()", "()", peer_text, "0"));
    feed(message("3", "U", "()", "a.b()", "()", peer_text, "9999999999999"));
    CHECK(texts().size() == 2);
}

TEST_CASE_FIXTURE(engine_fixture, "MessageType is R or U (RFC 3259 s5.2) [item 10]") {
    for (const char* type : {"r", "u", "X", "RU", ""}) feed(message("1", type, own_text, "a.b()"));
    CHECK(texts().empty());
    CHECK(drops(drop_reason::bad_header) == 5);
    feed(1, "U", own_text, "a.b()");
    feed(2, "R", own_text, "a.b()");
    CHECK(texts().size() == 2);
}

TEST_CASE_FIXTURE(engine_fixture, "R is acknowledged, U never is (RFC 3259 s3) [item 11] [item 12]") {
    meet();
    feed(1, "U", own_text, "a.b()");
    feed(2, "R", own_text, "a.b()");
    feed(3, "U", own_text, "a.b()");
    lab.run_for(1s);
    REQUIRE(acks().size() == 1);
    CHECK(acks()[0].parsed().header.acknowledgements == std::vector<std::uint32_t>{2});
}

TEST_CASE("SrcAddr is the complete own address in every kind of message (RFC 3259 s3) [item 13]") {
    engine_fixture f;
    f.meet();
    f.lab.run_for(1s);                                        // hello
    REQUIRE(f.it.send(f.own, "(module:ui)", "a.b()", true));  // R and its retransmission
    REQUIRE(f.it.send(f.own, "()", "a.b()"));                 // U
    f.feed(5, "R", own_text, "a.b()");                        // acknowledgement
    f.lab.run_for(200ms);
    f.it.detach(f.own);  // bye
    CHECK(f.lab.capture().size() >= 6);
    for (const auto& each : f.lab.capture()) CHECK(each.parsed().header.source.text() == own_text);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "AckList forms (), ( ), (1 2), ( 1 2 ) are all valid (RFC 3259 s5.2) [item 14]") {
    std::uint32_t number = 0;
    for (const char* list : {"()", "( )", "(1 2)", "( 1\t2 )"}) feed(++number, "U", own_text, "a.b()", list);
    CHECK(texts().size() == 4);
    for (const char* list : {"(1,2)", "(1-2)", "(4294967296)", "(00000000001)", "(a)", "1"})
        feed(++number, "U", own_text, "a.b()", list);
    CHECK(texts().size() == 4);
    CHECK(drops(drop_reason::bad_header) == 6);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "a message without commands is accepted and its AckList evaluated (RFC 3259 s3) [item 15]") {
    meet();
    REQUIRE(it.send(own, "(module:ui)", "a.b()", true, 9));
    const auto number = lab.captured_with("a.b").front().parsed().header.sequence_number;
    const auto list = "(" + std::to_string(number) + ")";
    SUBCASE("with a final line end") { feed(1, "U", own_text, "", list); }
    SUBCASE("without one (trap S1)") {
        lab.inject(it, "mbus/1.0 1 1700003600000 U " + std::string{peer_text} + " " + std::string{own_text} +
                           " " + list);
    }
    REQUIRE(it.reports.size() == 1);
    CHECK(it.reports[0].acknowledged);
    CHECK(texts().empty());  // a dedicated acknowledgement is nothing for applications
}

TEST_CASE_FIXTURE(engine_fixture, "commands reach the application in payload order (RFC 3259 s3) [item 16]") {
    std::string commands;
    for (int index = 0; index < 50; ++index) commands += "a.b(" + std::to_string(index) + ")\r\n";
    feed(1, "U", own_text, commands);
    CHECK(texts() == std::vector<std::string>{commands});
    CHECK(it.delivered[0].what->commands == 50);
    CHECK(it.delivered[0].what->first_command == "a.b");
}

TEST_CASE_FIXTURE(engine_fixture,
                  "messages are UTF-8; an ill-formed sequence drops the message (RFC 3259 s5.1) [item 17]") {
    feed(1, "U", own_text, "a.b(\"h\xc3\xa9\xe2\x82\xac\")\r\n");
    CHECK(texts() == std::vector<std::string>{"a.b(\"h\xc3\xa9\xe2\x82\xac\")\r\n"});
    for (const char* bad : {"a.b(\"\xc3\")", "a.b(\"\xc0\x80\")", "a.b(\"\xed\xa0\x80\")", "a.b(\"\xff\")"})
        feed(2, "U", own_text, bad);
    CHECK(texts().size() == 1);
    CHECK(drops(drop_reason::bad_body) == 4);
}

TEST_CASE("header and commands are separated by CR LF (RFC 3259 s5.2) [item 18]") {
    SUBCASE("with a final line end, the default (trap S1)") {
        engine_fixture f;
        REQUIRE(f.it.send(f.own, "()", "a.b(1)\nc.d(2)\n"));
        const auto sent = f.lab.captured_with("a.b").front().message;
        CHECK(sent.substr(sent.find('\r')) == "\r\na.b(1)\r\nc.d(2)\r\n");
    }
    SUBCASE("in the bare form of the grammar") {
        engine_fixture f{{}, {.final_line_end = false}};
        REQUIRE(f.it.send(f.own, "()", "a.b(1)\nc.d(2)\n"));
        const auto sent = f.lab.captured_with("a.b").front().message;
        CHECK(sent.substr(sent.find('\r')) == "\r\na.b(1)\r\nc.d(2)");
    }
}

TEST_CASE_FIXTURE(engine_fixture, "LF, CR LF and no final line end are all read (traps S1, S4)") {
    const std::string head = "mbus/1.0 1 1 U " + std::string{peer_text} + " () ()";
    feed(head + "\na.b()\nc.d()");
    CHECK(texts() == std::vector<std::string>{"a.b()\nc.d()"});
}

TEST_CASE_FIXTURE(engine_fixture,
                  "one malformed command drops the whole message: no effect, no acknowledgement (trap S13)") {
    feed(1, "R", own_text, "mbus.hello()\r\na.b(1)\r\nc.d(\r\n");
    lab.run_for(200ms);
    CHECK(texts().empty());
    CHECK(acks().empty());
    CHECK(it.node.entities() == 1);
    CHECK(drops(drop_reason::bad_body) == 1);
}
