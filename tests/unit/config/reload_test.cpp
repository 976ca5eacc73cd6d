// A reload takes all of the new configuration or nothing.
#include <doctest/doctest.h>

#include "config/reload.hpp"

namespace {

mbusd::config_reading read(std::string_view text) {
    mbusd::config_reading out;
    mbusd::read_config_text(out, text, "mbusd.toml");
    return out;
}

}  // namespace

TEST_CASE("a reload lists what changes") {
    const auto plan = mbusd::plan_reload({}, read("[log]\nlevel = \"debug\"\n[limits]\nqueue_messages = 100\n"));
    CHECK(plan.refusals.empty());
    REQUIRE(plan.changes.size() == 2);
    CHECK(plan.changes[0] == "limits.queue_messages: 65536 -> 100");
    CHECK(plan.changes[1] == "log.level: \"info\" -> \"debug\"");
    CHECK(plan.values.log.level == "debug");
}

TEST_CASE("one change that needs a restart refuses the whole reload, with a sentence") {
    const auto plan = mbusd::plan_reload({}, read("[log]\nlevel = \"debug\"\n[bus]\ncompat = \"legacy\"\n"));
    REQUIRE(plan.refusals.size() == 1);
    CHECK(plan.refusals[0] ==
          "mbusd.toml:4: bus.compat can't change from \"none\" to \"legacy\" while mbusd runs; undo it, or restart mbusd");
}

TEST_CASE("a faulty file refuses the whole reload") {
    const auto plan = mbusd::plan_reload({}, read("[log]\nlevel = \"debug\"\n[bus]\ncompat = 7\n"));
    REQUIRE(plan.refusals.size() == 1);
    CHECK(plan.refusals[0].starts_with("mbusd.toml:4: bus.compat must be a text"));
    CHECK(plan.changes.empty());
}

TEST_CASE("new rights rules are a change that a reload takes") {
    const auto plan = mbusd::plan_reload({}, read("[[rights]]\nusers = [\"bob\"]\nsend = [\"()\"]\n"));
    CHECK(plan.refusals.empty());
    CHECK(plan.changes == std::vector<std::string>{"rights: the rules have changed"});
}
