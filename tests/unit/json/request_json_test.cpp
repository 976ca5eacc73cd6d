#include <doctest/doctest.h>

#include <string>

#include <mbus_json/request_json.hpp>

using mbus::errc;
using mbus::json::parse_posted;
using mbus::json::request_members;

TEST_CASE("a command with arguments is read with the values of docs/json.md") {
    const auto read = parse_posted(R"({"command":"door.open","args":[1,2.5,"x",{"sym":"on"},[true]]})", request_members::commands_only);
    REQUIRE(read);
    REQUIRE(read->commands.size() == 1);
    CHECK(*mbus::format_commands(read->commands) == "door.open(1 2.5 \"x\" on (1))\r\n");
}

TEST_CASE("arguments may be missing, several commands stand in cmds") {
    CHECK(parse_posted(R"({"command":"a.b"})", request_members::commands_only)->commands.front().arguments.empty());
    CHECK(parse_posted(R"({"cmds":[{"name":"a.b","args":[]},{"name":"c"}]})", request_members::commands_only)->commands.size() == 2);
}

TEST_CASE("an address is text, with or without parentheses, or an object") {
    for (const std::string to : {"\"(app:x)\"", "\"app:x\"", R"({"app":"x"})"}) {
        const auto read = parse_posted("{\"to\":" + to + R"(,"command":"a","reliable":true,"ttl":500})", request_members::with_address);
        REQUIRE(read);
        CHECK(read->to->text() == "(app:x)");
        CHECK(read->reliable);
        CHECK(read->ttl == 500);
    }
}

TEST_CASE("what is wrong is named with its place") {
    const auto fault = [](std::string_view text, request_members allowed = request_members::commands_only) {
        const auto read = parse_posted(text, allowed);
        REQUIRE_FALSE(read);
        return mbus::describe(read.error());
    };
    CHECK(fault("{\"command\":").find("at octet") != std::string::npos);
    CHECK(fault("[1]").find("expected an object") != std::string::npos);
    CHECK(fault("{}").find("\"command\" is missing") != std::string::npos);
    CHECK(fault(R"({"command":"door open"})").find("/command: ") != std::string::npos);
    CHECK(fault(R"({"command":"a","args":[null]})").find("/args/0: ") != std::string::npos);
    CHECK(fault(R"({"command":"a","cmds":[]})").find("either") != std::string::npos);
    CHECK(fault(R"({"command":"a","to":"app:x"})").find("/to: no such member") != std::string::npos);
    CHECK(fault(R"({"to":"app x","command":"a"})", request_members::with_address).find("/to: ") != std::string::npos);
    CHECK(fault(R"({"command":"a","ttl":-1})", request_members::with_address).find("/ttl: ") != std::string::npos);
}
