// Requests that the daemon makes of entities, and what they say back.
#include <doctest/doctest.h>

#include "router/request_reply.hpp"

using namespace mbusd;

namespace {

mbus::command command_of(std::string_view text) {
    auto read = mbus::parse_commands(text);
    REQUIRE(read);
    REQUIRE(read->size() == 1);
    return read->front();
}

}  // namespace

TEST_CASE("a request has an id, and its arguments in a list of their own") {
    const auto text = request_text(7, command_of(R"(door.open("front" 3))"));
    REQUIRE(text);
    const auto asked = command_of(*text);
    CHECK(asked.name == "door.open");
    CHECK(answered_request(asked) == 7U);
    CHECK(*asked.arguments.at(1).get_if<mbus::value::list>() == command_of(R"(x("front" 3))").arguments);
    CHECK(reply_name(command_of("door.open()")) == "door.open.return");
}

TEST_CASE("an id comes back as string, symbol or number") {
    for (const auto* id : {R"("7")", "7"}) {
        CAPTURE(id);
        CHECK(answered_request(command_of(std::string{"a.return((("} + R"("ID" )" + id + ")))")) == 7U);
    }
    CHECK(answered_request(command_of(R"(a.return(((ID "7"))))")) == 7U);
    for (const auto* none : {"a.return()", "a.return(7)", R"(a.return((("ID" "seven"))))", R"(a.return((("ID" -7))))", R"(a.return((("ID" "7x"))))",
                             R"(a.return((("ID"))))", R"(a.return((("NO" "7"))))", R"(a.return((("ID" "99999999999999999999"))))"}) {
        CAPTURE(none);
        CHECK_FALSE(answered_request(command_of(none)));
    }
}

TEST_CASE("a reply has status, code, text and results") {
    const auto said = reply_of(command_of(R"(a.return((("ID" 7) ("RPC-STATUS" "OK")) ((OK DONE "it is open") (1 "x"))))"));
    CHECK(said.status == "OK");
    CHECK(said.code == "DONE");
    CHECK(said.text == "it is open");
    CHECK(said.results == command_of(R"(x(1 "x"))").arguments);
}

TEST_CASE("a reply of another form is all results, or nothing") {
    CHECK(reply_of(command_of(R"(a.return((("ID" 7)) (1 2 3)))")).results.size() == 3);
    CHECK(reply_of(command_of(R"(a.return((("ID" 7)) ((OK) (1))))")).results.size() == 2);
    CHECK(reply_of(command_of(R"(a.return((("ID" 7))))")).results.empty());
    CHECK(reply_of(command_of("a.return()")).status.empty());
}
