// One message in the forms that its receivers want.
#include <doctest/doctest.h>

#include <string>

#include "router/message_forms.hpp"

using mbusd::message_forms;
using mbusd::message_source;

namespace {

message_source commands(std::string_view body, std::string_view first) {
    return {.to = "(app:b)", .from = "(app:a id:1-1@10.0.0.1)", .type = {}, .body = body, .first_command = first};
}

}  // namespace

TEST_CASE("every receiver of a form shares one prepared message") {
    mbus::mbws::message_preparer preparer;
    message_forms forms{preparer, commands("a.b(1)", "a.b")};
    const auto* first = forms.for_receiver("", "");
    const auto* second = forms.for_receiver("", "a.*");
    REQUIRE(first != nullptr);
    CHECK(first == second);
    CHECK((*first)->body() == "a.b(1)");
}

TEST_CASE("command globs leave a message out when none of its commands fits") {
    mbus::mbws::message_preparer preparer;
    message_forms forms{preparer, commands("a.b(1)\r\nc()", "a.b")};
    CHECK(forms.for_receiver("", "x,y.*") == nullptr);
    CHECK(forms.for_receiver("", "x,c") != nullptr);
}

TEST_CASE("an opaque body goes as it is to who takes its type, as mbws.data to all others") {
    mbus::mbws::message_preparer preparer;
    message_forms forms{preparer, {.to = "()", .from = "(a:b)", .type = "image/png", .body = std::string_view{"\0\1", 2},
                                   .first_command = {}}};
    CHECK((*forms.for_receiver("image/png", ""))->body() == std::string_view{"\0\1", 2});
    CHECK((*forms.for_receiver("*/*", ""))->body() == std::string_view{"\0\1", 2});
    const auto text = (*forms.for_receiver("", ""))->body();
    CHECK(text.find("mbws.data") == 0);
    CHECK(*forms.commands() == text);
    CHECK((*forms.for_receiver("text/plain", ""))->body() == text);
    CHECK(forms.for_receiver("", "other.*") == nullptr);
}

TEST_CASE("the command mbws.data becomes an opaque body again") {
    mbus::mbws::message_preparer preparer;
    message_forms forms{preparer, commands("mbws.data(\"image/png\" <AAE=>)", "mbws.data")};
    CHECK((*forms.for_receiver("image/png", ""))->body() == std::string_view{"\0\1", 2});
    CHECK((*forms.for_receiver("", ""))->body() == "mbws.data(\"image/png\" <AAE=>)");
}

TEST_CASE("mbus.ping is not for clients") {
    mbus::mbws::message_preparer preparer;
    auto source = commands("mbus.ping()", "mbus.ping");
    source.has_ping = true;
    message_forms alone{preparer, source};
    CHECK_FALSE(alone.anything_for_clients());
    CHECK(alone.for_receiver("", "") == nullptr);
    source.body = "mbus.ping()\r\na()";
    message_forms both{preparer, source};
    CHECK((*both.for_receiver("", ""))->body().find("ping") == std::string_view::npos);
    CHECK(*both.commands() == source.body);
}
