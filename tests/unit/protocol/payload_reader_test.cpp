#include <doctest/doctest.h>

#include "protocol/payload_reader.hpp"

using namespace mbus;
using namespace mbus::protocol;

namespace {

std::string kept(const payload_reader& reader) {
    std::string out;
    reader.write_kept(out);
    return out;
}

}  // namespace

TEST_CASE("a payload without the engine's commands is handed on verbatim") {
    payload_reader reader;
    const std::string_view text = "a.b (1  2 )\nc(\"x\")";
    REQUIRE(reader.read(text, dialect::rfc));
    CHECK(reader.commands() == 2);
    CHECK(reader.first_kept() == "a.b");
    CHECK(kept(reader) == text);
}

TEST_CASE("a bare command that was read before is as if it were read again") {
    for (const std::string_view text : {"a()", "audio.gain(80 \"x\" (on off) <AAEC>)", "a.b( 1  2 )"}) {
        CAPTURE(text);
        payload_reader read;
        REQUIRE(read.read(text, dialect::rfc));
        payload_reader taken;
        REQUIRE(
            taken.read("mbus.hello()\r\nx.y()\r\nmbus.nobody()", dialect::rfc));  // of which nothing may stay
        taken.take_bare(text, text.find('('));
        CHECK(taken.commands() == read.commands());
        CHECK(taken.kept() == read.kept());
        CHECK(taken.first_kept() == read.first_kept());
        CHECK(taken.unknown() == 0);
        CHECK_FALSE(taken.has_hello());
        CHECK_FALSE(taken.has_mbus_command());
        CHECK(kept(taken) == kept(read));
        for (const auto writing : {dialect::rfc, dialect::legacy}) {
            std::string one;
            std::string other;
            REQUIRE(read.write_all(one, writing));
            REQUIRE(taken.write_all(other, writing));
            CHECK(one == other);
        }
    }
}

TEST_CASE("hello, bye and ping are noted wherever they stand, and taken out (trap W11)") {
    payload_reader reader;
    REQUIRE(reader.read(
        "mbus.waiting(ready)\r\nmbus.hello()\r\na.b(1)\r\nmbus.ping( )\r\nmbus.quit()\r\nmbus.bye()",
        dialect::rfc));
    CHECK(reader.has_hello());
    CHECK(reader.has_ping());
    CHECK(reader.has_bye());
    CHECK(reader.kept() == 3);
    CHECK(kept(reader) == "mbus.waiting(ready)\r\na.b(1)\r\nmbus.quit()\r\n");
}

TEST_CASE("wrong parameters and unknown mbus.* names are ignored and counted (traps M4, M5)") {
    payload_reader reader;
    REQUIRE(reader.read("mbus.hello(1)\nmbus.go(a b)\nmbus.go(\"a\")\nmbus.waiting()\nmbus.what()\nx.y()\n",
                        dialect::rfc));
    CHECK_FALSE(reader.has_hello());
    CHECK(reader.malformed() == 4);
    CHECK(reader.unknown() == 1);
    CHECK(kept(reader) == "x.y()\r\n");
}

TEST_CASE("the legacy dialect takes a condition as a string too (trap M3)") {
    payload_reader reader;
    REQUIRE(reader.read("mbus.waiting (\"ready\" )\n", dialect::legacy));
    CHECK(reader.malformed() == 0);
    CHECK(reader.kept() == 1);
}

TEST_CASE("what needed leniency is written anew for strict readers") {
    payload_reader reader;
    REQUIRE(reader.read("a.b(\"x\\ y\")\nmbus.ping()\n", dialect::rfc));
    CHECK(kept(reader) == "a.b(\"x y\")\r\n");
}

TEST_CASE("towards the bus every command has its CR LF, nothing lenient is left (trap S4)") {
    payload_reader reader;
    std::string out;
    REQUIRE(reader.read("a.b (1)\nc.d(2)", dialect::rfc));
    REQUIRE(reader.write_all(out, dialect::rfc));
    CHECK(out == "a.b(1)\r\nc.d(2)\r\n");
    REQUIRE(reader.read("a.b(\"x\ny\\z\")", dialect::rfc));
    REQUIRE(reader.write_all(out, dialect::rfc));
    CHECK(out == "a.b(\"x\\nyz\")\r\n");
}

TEST_CASE("the legacy dialect: LF, blanks around the parameters") {
    payload_reader reader;
    std::string out;
    REQUIRE(reader.read("a.b(1 (2) \"x\")\r\nc()\r\n", dialect::rfc));
    REQUIRE(reader.write_all(out, dialect::legacy));
    CHECK(out == "a.b (1 (2 ) \"x\" )\nc ()\n");
}

TEST_CASE("one malformed command refuses them all, with its offset (trap S13)") {
    payload_reader reader;
    const auto read = reader.read("a()\r\nb(\r\n", dialect::rfc);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::bad_command);
    CHECK(read.error().offset == 7);
}
