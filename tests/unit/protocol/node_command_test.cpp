// Conformance, items 32 to 46: what the engine does with commands (RFC 3259, section 5.3). The
// reader and writer of values have their own tests in tests/unit/message.
#include "engine_fixture.hpp"

using namespace mbus;
using namespace mbus::lab;

namespace {

// How many of `payloads` reach the application, each in a message of its own.
std::size_t accepted(engine_fixture& f, std::initializer_list<const char*> payloads) {
    std::uint32_t number = 100;
    const auto before = f.texts().size();
    for (const char* payload : payloads) f.feed(++number, "U", own_text, payload);
    return f.texts().size() - before;
}

}  // namespace

TEST_CASE_FIXTURE(engine_fixture, "a command name is a symbol (RFC 3259 s5.3) [item 32]") {
    CHECK(accepted(*this, {"1a()", "_a()", "-a()", ".a()", "()", "a b()"}) == 0);
    CHECK(drops(drop_reason::bad_body) == 6);
    CHECK(accepted(*this, {"a_b-c.D9()"}) == 1);
}

TEST_CASE_FIXTURE(engine_fixture, "every command has a list (RFC 3259 s5.3) [item 33]") {
    CHECK(accepted(*this, {"a.b", "mbus.hello", "a.b(", "a.b)"}) == 0);
    CHECK(it.node.entities() == 1);
}

TEST_CASE_FIXTURE(
    engine_fixture,
    "parameters of all six types arrive as they were sent (RFC 3259 s5.3) [item 34] [item 37]") {
    auto& other = lab.add();
    const auto sender = other.attach("(app:sender)");
    const std::string text = "a.b(1 -2.5 \"s\" (x (1)) sym <QUI=>)";
    REQUIRE(other.send(sender, own_text, text));
    lab.run_for(10ms);
    CHECK(texts() == std::vector<std::string>{text + "\r\n"});
}

TEST_CASE_FIXTURE(engine_fixture, "integers: optional minus, digits (RFC 3259 s5.3) [item 35]") {
    CHECK(accepted(*this, {"a(-0)", "a(007)", "a(99999999999999999999)"}) == 3);
    CHECK(accepted(*this, {"a(+1)", "a(0x1)", "a(-)"}) == 0);
}

TEST_CASE_FIXTURE(engine_fixture, "floats: digits on both sides of the point (RFC 3259 s5.3) [item 36]") {
    CHECK(accepted(*this, {"a(1.5)", "a(-0.25)"}) == 2);
    CHECK(accepted(*this, {"a(1.)", "a(.5)", "a(1e3)", "a(1.5e3)"}) == 0);
}

TEST_CASE_FIXTURE(engine_fixture, "the escapes pass in both directions (RFC 3259 s5.3) [item 38]") {
    const std::string text = R"(a.b("\\n \" \n \\\" \\\\"))";
    auto& other = lab.add();
    const auto sender = other.attach("(app:sender)");
    REQUIRE(other.send(sender, own_text, text));
    lab.run_for(10ms);
    CHECK(texts() == std::vector<std::string>{text + "\r\n"});
}

TEST_CASE_FIXTURE(engine_fixture, "data is Base64, possibly empty (RFC 3259 s5.3) [item 39]") {
    CHECK(accepted(*this, {"a(<>)", "a(<QQ==>)", "a(<QUI=>)", "a(<QUJD>)"}) == 4);
    CHECK(accepted(*this, {"a(<QQ>)", "a(<Q Q==>)", "a(<QQ=>)", "a(<*>)"}) == 0);
}

TEST_CASE_FIXTURE(engine_fixture, "lists may be empty, nested and mixed (RFC 3259 s5.3) [item 40]") {
    CHECK(accepted(*this, {"a((1 (a \"b\" ()) <QQ==>))"}) == 1);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "white space between values is required, at the edges allowed (RFC 3259 s5.3) [item 41]") {
    CHECK(accepted(*this, {"a(\"a\"\"b\")", "a(1(2))", "a(1,2)"}) == 0);
    CHECK(accepted(*this, {"a( 1 )", "a(\t1\t2\t)"}) == 2);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "a boolean is an integer on the wire, other than zero is true (RFC 3259 s5.3) [item 42]") {
    feed(1, "U", own_text, "a.b(0 1 -7)");
    const auto commands = parse_commands(texts().at(0));
    REQUIRE(commands);
    const auto& values = commands->front().arguments;
    CHECK_FALSE(*values[0].as_boolean());
    CHECK(*values[1].as_boolean());
    CHECK(*values[2].as_boolean());
}

TEST_CASE_FIXTURE(engine_fixture,
                  "the levels of the engine's own names are separated by '.' (RFC 3259 s5.3) [item 43]") {
    lab.run_for(1s);
    it.detach(own);
    for (const auto& each : lab.capture()) CHECK(each.parsed().commands.front().name.starts_with("mbus."));
}

TEST_CASE_FIXTURE(engine_fixture, "applications can't send reserved commands (RFC 3259 s5.3) [item 44]") {
    for (const char* reserved : {"mbus.hello()", "mbus.bye()", "mbus.mine()", "mbus.quit(1)",
                                 "mbus.waiting(\"x\")", "a.b()\r\nmbus.hello()"}) {
        const auto sent = it.send(own, "()", reserved);
        REQUIRE_FALSE_MESSAGE(sent, reserved);
        CHECK(sent.error().code == errc::bad_command);
    }
    CHECK(sent().empty());
}

TEST_CASE_FIXTURE(engine_fixture,
                  "unknown commands do no harm to their neighbours (RFC 3259 s5.3) [item 45]") {
    feed(1, "U", own_text, "a.b(1)\r\nmbus.unheard(1 2)\r\nc.d(2)\r\n");
    CHECK(texts() == std::vector<std::string>{"a.b(1)\r\nc.d(2)\r\n"});
    CHECK(drops(drop_reason::unknown_mbus_command) == 1);
}

TEST_CASE_FIXTURE(engine_fixture, "the six mbus. commands are understood (RFC 3259 s9) [item 46]") {
    feed(1, "U", "()", "mbus.hello()");
    CHECK(it.node.entities() == 2);
    feed(2, "U", "()", "mbus.quit()");
    feed(3, "U", "()", "mbus.waiting(ready)");
    feed(4, "R", own_text, "mbus.go(ready)");
    CHECK(texts() == std::vector<std::string>{"mbus.quit()", "mbus.waiting(ready)", "mbus.go(ready)"});
    lab.run_for(2500ms);  // the regular hellos have passed
    const auto before = lab.captured_with("mbus.hello").size();
    feed(5, "U", "()", "mbus.ping()");
    lab.run_for(1s);
    CHECK(lab.captured_with("mbus.hello").size() > before);
    feed(6, "U", "()", "mbus.bye()");
    CHECK(it.node.entities() == 1);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "a command with wrong parameters is ignored and counted, the rest is not (trap M4)") {
    feed(1, "U", "()", "mbus.hello(1)\r\na.b()\r\nmbus.bye(x)");
    CHECK(texts() == std::vector<std::string>{"a.b()\r\n"});
    CHECK(it.node.entities() == 1);
    CHECK(drops(drop_reason::bad_mbus_command) == 2);
}
