// Bodies: commands are checked, anything else is opaque (docs/mbws.md, section 2.5).
#include <doctest/doctest.h>

#include <rapidcheck.h>

#include <string>

#include "mbws/body.hpp"
#include "mbws/symbols.hpp"

namespace mbus::mbws {

TEST_CASE("commands are counted and the first is named (s2.5)") {
    const auto found = check_commands("audio.gain(80)\r\naudio.mute(on)\r\n");
    REQUIRE(found);
    CHECK(found->commands == 2);
    CHECK(found->first_command == "audio.gain");
    CHECK_FALSE(found->has_mbus_command);
    const auto none = check_commands("");
    REQUIRE(none);
    CHECK(none->commands == 0);
    CHECK(none->first_command.empty());
}

TEST_CASE("a body is bare when it is one strict command and nothing else (s2.5)") {
    const auto is_bare = [](std::string_view body) {
        const auto found = check_commands(body);
        REQUIRE(found);
        return found->bare;
    };
    CHECK(is_bare("a.b()"));
    CHECK(is_bare("audio.gain(80 \"x\" (on off) <AAEC>)"));
    CHECK(is_bare("a.b( 1  2 )"));  // blanks between arguments belong to the strict form
    for (const std::string_view other : {"", "a.b()\r\n", "a.b()\n", "a.b()\r\nc.d()", "a.b ()", " a.b()",
                                         "a.b() ", "mbus.ping()", "mbus.quit()", "a.b(\"\nx\")"}) {
        CAPTURE(other);
        const auto found = check_commands(other);
        CHECK_FALSE((found && found->bare));
    }
}

TEST_CASE("commands outside the grammar are refused (s2.5)") {
    const auto found = check_commands("audio.gain(80");
    REQUIRE_FALSE(found);
    CHECK(found.error().code == errc::bad_command);
}

TEST_CASE("mbus.hello and mbus.bye are the broker's, ping, quit, waiting and go are everybody's (s2.5)") {
    for (const char* own : {"mbus.hello()", "mbus.bye()", "a.b()\r\nmbus.bye()"}) {
        const auto found = check_commands(own);
        REQUIRE_FALSE(found);
        CHECK(found.error().code == errc::bad_command);
    }
    for (const char* free :
         {"mbus.ping()", "mbus.quit()", "mbus.waiting(x)", "mbus.go(x)", "mbus.helloes()"}) {
        const auto found = check_commands(free);
        REQUIRE(found);
        CHECK(found->has_mbus_command);
    }
    CHECK(check_commands("a.b()\r\nmbus.ping()")->has_ping);
    CHECK_FALSE(check_commands("mbus.quit()")->has_ping);
}

TEST_CASE("media types (s2.5)") {
    CHECK(is_command_type(""));
    CHECK(is_command_type("application/mbus"));
    CHECK(is_command_type("Application/MBUS"));
    CHECK_FALSE(is_command_type("text/plain"));
    CHECK(is_media_type("image/png"));
    CHECK(is_media_type("text/plain; charset=\"utf-8\""));
    CHECK_FALSE(is_media_type("image"));
    CHECK_FALSE(is_media_type("/png"));
    CHECK_FALSE(is_media_type("image/"));
    CHECK_FALSE(is_media_type("image/;x"));
    CHECK_FALSE(is_media_type("image/p\nng"));
    CHECK(accepts_type("*/*", "image/png"));
    CHECK(accepts_type("image/PNG", "image/png"));
    CHECK_FALSE(accepts_type("image/jpeg", "image/png"));
    CHECK_FALSE(accepts_type("", "image/png"));
}

TEST_CASE("an opaque body is one command, and comes back from it (s2.5)") {
    const auto command = data_command("image/png", std::string_view{"\0\1\2", 3});
    REQUIRE(command);
    CHECK(command->find("mbws.data") == 0);
    CHECK(command->find("\"image/png\"") != std::string::npos);
    CHECK(command->find("<AAEC>") != std::string::npos);
    CHECK_FALSE(data_command("nonsense", "x"));
    const auto again = opaque_from_command(*command);
    REQUIRE(again);
    CHECK(again->type == "image/png");
    CHECK(again->octets == std::string_view{"\0\1\2", 3});
}

TEST_CASE("only exactly one mbws.data with type and data is an opaque body (s2.5)") {
    CHECK_FALSE(opaque_from_command(""));
    CHECK_FALSE(opaque_from_command("audio.gain(80)"));
    CHECK_FALSE(opaque_from_command("mbws.data(\"image/png\" <AAEC>)\r\naudio.gain(80)"));
    CHECK_FALSE(opaque_from_command("mbws.data(\"image/png\")"));
    CHECK_FALSE(opaque_from_command("mbws.data(\"image/png\" \"AAEC\")"));
    CHECK_FALSE(opaque_from_command("mbws.data(\"nonsense\" <AAEC>)"));
    CHECK_FALSE(opaque_from_command("mbws.data(\"application/mbus\" <AAEC>)"));
    CHECK_FALSE(opaque_from_command("mbws.data(\"image/png\" <AAEC>"));
    CHECK(opaque_from_command("mbws.data (\"image/png\" <AAEC>)\r\n"));
}

TEST_CASE("any octets survive as mbws.data (s2.5)") {
    const bool held = rc::check([](const std::string& octets) {
        const auto command = data_command("text/plain; charset=\"utf-8\"", octets);
        RC_ASSERT(command.has_value());
        const auto again = opaque_from_command(*command);
        RC_ASSERT(again.has_value());
        RC_ASSERT(again->octets == octets);
        RC_ASSERT(again->type == "text/plain; charset=\"utf-8\"");
    });
    CHECK(held);
}

TEST_CASE("symbols of fields (s2.4)") {
    CHECK(to_string(reader_policy::drop_oldest) == "drop-oldest");
    CHECK(reader_policy_from_string("disconnect") == reader_policy::disconnect);
    CHECK_FALSE(reader_policy_from_string("Disconnect"));
    CHECK(entity_state_from_string("lost") == entity_state::lost);
    CHECK(to_string(attach_mode::monitor) == "monitor");
    CHECK(attach_mode_from_string("queue") == attach_mode::queue);
}

}  // namespace mbus::mbws
