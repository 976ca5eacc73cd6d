#include <doctest/doctest.h>

#include <string>

#include "gateways/xmpp/bus_commands.hpp"
#include "xml/reader.hpp"
#include "xml/writer.hpp"

namespace xml = mbusd::xml;
namespace xmpp = mbusd::xmpp;

namespace {

xml::element message(std::string_view inside) {
    xml::document_reader reader;
    auto got = reader.read("<message xmlns='jabber:client'>" + std::string{inside} + "</message>");
    REQUIRE(got);
    return std::move(*got);
}

std::string commands(std::string_view inside) {
    auto read = xmpp::commands_in(message(inside));
    return read ? *read : describe(read.error());
}

std::string with_argument(std::string_view argument) {
    return commands("<command xmlns='urn:x-mbus:1' name='x'>" + std::string{argument} + "</command>");
}

}  // namespace

TEST_CASE("typed arguments become those of the bus") {
    CHECK(with_argument("<integer> -42 </integer>") == "x(-42)\r\n");
    CHECK(with_argument("<float>2.5</float>") == "x(2.5)\r\n");
    CHECK(with_argument("<float>3</float>") == "x(3.0)\r\n");
    CHECK(with_argument("<float>25e-1</float>") == "x(2.5)\r\n");
    CHECK(with_argument("<string>a \"b\" &lt;</string>") == "x(\"a \\\"b\\\" <\")\r\n");
    CHECK(with_argument("<string encoding='base64'>AQ==</string>") == "x(\"\x01\")\r\n");
    CHECK(with_argument("<symbol>on</symbol>") == "x(on)\r\n");
    CHECK(with_argument("<data>AA\n EC</data>") == "x(<AAEC>)\r\n");
    CHECK(with_argument("<list><integer>1</integer><list/></list><string/>") == "x((1 ()) \"\")\r\n");
    CHECK(with_argument("<integer>123456789012345678901234567890</integer>") == "x(123456789012345678901234567890)\r\n");
}

TEST_CASE("several commands are one message, and stand before a body") {
    CHECK(commands("<body>for people</body><command xmlns='urn:x-mbus:1' name='a.b'/><command xmlns='urn:x-mbus:1' name='c'/>") ==
          "a.b()\r\nc()\r\n");
    CHECK(commands("<body>a.b(1)\nc()</body>") == "a.b(1)\r\nc()\r\n");
}

TEST_CASE("what is no value is refused with its place") {
    CHECK(with_argument("<integer>one</integer>") == "bad-command: command x, argument 1: 'one' is no integer");
    CHECK(with_argument("<integer>1</integer><list><symbol>1</symbol></list>") == "bad-command: command x, argument 2: argument 1: '1' is no symbol");
    CHECK(with_argument("<data>A</data>").find("no Base64") != std::string::npos);
    CHECK(with_argument("<float>inf</float>").find("no float") != std::string::npos);
    CHECK(with_argument("words").find("put it into <string/>") != std::string::npos);
    CHECK(with_argument("<number>1</number>").find("is no value") != std::string::npos);
    CHECK(with_argument("<string xmlns='other'>1</string>").find("is no value") != std::string::npos);
    CHECK(with_argument("<string><b/></string>").find("holds text only") != std::string::npos);
    CHECK(commands("<command xmlns='urn:x-mbus:1'/>").find("no name of a command") != std::string::npos);
    CHECK(commands("<body>play(1</body>").find("octet 6") != std::string::npos);
    CHECK(commands("<body> </body>").starts_with("bad-command"));
    CHECK(commands("<body/>").find("no command") != std::string::npos);
}

TEST_CASE("lists nest as deep as the bus allows") {
    const auto nested = [](int depth) {
        std::string out;
        for (int i = 0; i < depth; ++i) out += "<list>";
        for (int i = 0; i < depth; ++i) out += "</list>";
        return out;
    };
    CHECK(with_argument(nested(63)).starts_with("x((((("));
    CHECK(with_argument(nested(64)).find("64 deep") != std::string::npos);
}

TEST_CASE("commands of the bus come back from their XML as they were") {
    for (const std::string_view text :
         {"x()\r\n", "a.b(1 -2 3.5 \"t\\n\\\"\" on <AAEC> (1 (\"\")))\r\nc()\r\n", "x(\"  blanks  \")\r\n", "x(\"\x01\x1f\")\r\n",
          "x(123456789012345678901234567890 1234567890.5)\r\n"}) {
        xml::element out{"jabber:client", "message"};
        xmpp::add_commands(out, text);
        xml::document_reader reader;
        auto back = reader.read(xml::to_text(out));
        REQUIRE(back);
        const auto read = xmpp::commands_in(*back);
        REQUIRE_MESSAGE(read, text);
        CHECK(*read == text);
    }
}
