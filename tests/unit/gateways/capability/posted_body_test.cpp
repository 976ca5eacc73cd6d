#include <doctest/doctest.h>

#include "gateways/capability/posted_body.hpp"

using mbusd::read_posted_body;

TEST_CASE("JSON, text and application/mbus become commands") {
    for (const auto& [type, body] : {std::pair{"application/json", R"({"command":"door.open","args":["front"]})"},
                                     std::pair{"Application/JSON; charset=utf-8", R"({"command":"door.open","args":["front"]})"},
                                     std::pair{"text/plain;charset=UTF-8", "door.open(\"front\")"},
                                     std::pair{"application/mbus", "door.open (\"front\")\r\n"}, std::pair{"", "door.open(\"front\")"}}) {
        CAPTURE(type);
        const auto read = read_posted_body(type, body);
        REQUIRE(read);
        CHECK(read->type.empty());
        CHECK(read->names == std::vector<std::string>{"door.open"});
        REQUIRE(read->question);
        CHECK(read->question->arguments.front() == mbus::value{"front"});
    }
}

TEST_CASE("anything else is opaque and goes as mbws.data") {
    const auto read = read_posted_body("image/png", "\x89PNG");
    REQUIRE(read);
    CHECK(read->type == "image/png");
    CHECK(read->body == "\x89PNG");
    CHECK(read->names == std::vector<std::string>{"mbws.data"});
    CHECK_FALSE(read->question);
}

TEST_CASE("several commands are no question") {
    const auto read = read_posted_body("text/plain", "a.b()\nc.d()");
    REQUIRE(read);
    CHECK(read->names.size() == 2);
    CHECK_FALSE(read->question);
}

TEST_CASE("what can't be read is an error with its place") {
    CHECK(read_posted_body("text/plain", "door.open(").error().offset == 10);
    CHECK(read_posted_body("application/json", "{").error().offset != mbus::error::no_offset);
    CHECK(read_posted_body("application/json", R"({"command":1})").error().text.starts_with("/command"));
    CHECK_FALSE(read_posted_body("text/plain", ""));
    CHECK_FALSE(read_posted_body("application/json", R"({"cmds":[]})"));
    CHECK_FALSE(read_posted_body("nonsense", "x"));
}

TEST_CASE("hello and bye are the broker's, also in JSON") {
    CHECK_FALSE(read_posted_body("text/plain", "mbus.bye()"));
    CHECK_FALSE(read_posted_body("application/json", R"({"command":"mbus.hello"})"));
}

TEST_CASE("every command must fit the globs; no globs allow all") {
    const auto read = read_posted_body("text/plain", "door.open()\nlight.on()");
    REQUIRE(read);
    CHECK_FALSE(read->first_forbidden(""));
    CHECK_FALSE(read->first_forbidden("door.*,light.on"));
    CHECK(read->first_forbidden("door.*") == "light.on");
}
