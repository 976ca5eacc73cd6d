#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <mbus_json/message_json.hpp>

#include "mbus-send/outcome.hpp"
#include "mbus-send/plan.hpp"
#include "mbus-send/spec.hpp"

using namespace mbus::tools;
using mbus::errc;
using namespace std::chrono_literals;

namespace {

mbus::result<send_plan> plan_of(std::vector<std::string> line) {
    auto args = parse_arguments(mbus_send_spec(), line);
    REQUIRE_MESSAGE(args.has_value(), (args ? std::string{} : args.error().text));
    return make_plan(*args);
}

send_plan good_plan(std::vector<std::string> line) {
    auto plan = plan_of(std::move(line));
    REQUIRE_MESSAGE(plan.has_value(), (plan ? std::string{} : plan.error().text));
    return *plan;
}

errc fault(std::vector<std::string> line) {
    auto plan = plan_of(std::move(line));
    REQUIRE_FALSE(plan);
    return plan.error().code;
}

}  // namespace

TEST_CASE("words become one message") {
    const auto plan = good_plan({"-r", "app:b", "demo.text", "\"hi\"", "1", "2.5", "sym"});
    REQUIRE(plan.message);
    CHECK(plan.message->reliable);
    CHECK(plan.message->to.text() == "(app:b)");
    CHECK(plan.message->commands.size() == 1);
    CHECK(plan.as.text() == "(module:mbus-send)");
    CHECK(plan.limit == 10s);
    CHECK_FALSE(plan.many());
}

TEST_CASE("a destination is needed, and --all is one") {
    CHECK(fault({"demo.text"}) == errc::bad_argument);
    CHECK(fault({}) == errc::bad_argument);
    CHECK(fault({"app:b"}) == errc::bad_argument);
    CHECK(good_plan({"--all", "a.b"}).message->to.empty());
    CHECK(good_plan({"--all", "()", "a.b"}).message->to.empty());
    CHECK(fault({"--all", "app:b", "a.b"}) == errc::bad_argument);
}

TEST_CASE("what is outside the grammar is invalid, not a usage error") {
    CHECK(fault({"app:b", "demo.text", "two words"}) == errc::bad_value);
    CHECK(fault({"app:b", "no!"}) == errc::bad_command);
    CHECK(fault({"app:", "a.b"}) == errc::bad_address);
}

TEST_CASE("a rate is an interval") {
    CHECK(good_plan({"--rate", "4", "()", "a.b"}).interval == 250ms);
    CHECK(good_plan({"-i", "200ms", "()", "a.b"}).interval == 200ms);
    CHECK(good_plan({"()", "a.b"}).interval == 0ms);
}

TEST_CASE("lines carry commands to one address") {
    const auto plan = good_plan({"-l", "app:b"});
    CHECK(plan.input == "-");
    const auto what = message_of_line(plan, "demo.text (\"hi\" 1)");
    REQUIRE(what);
    CHECK(what->to.text() == "(app:b)");
    CHECK(what->commands == std::vector<mbus::command>{{"demo.text", {"hi", 1}}});
    const auto wrong = message_of_line(plan, "demo.text (");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().offset != mbus::error::no_offset);
    CHECK(fault({"-l"}) == errc::bad_argument);
    CHECK(fault({"-l", "app:b", "demo.text"}) == errc::bad_argument);
}

TEST_CASE("JSON lines name their own destination and type") {
    const auto plan = good_plan({"-j", "-f", "log"});
    CHECK(plan.input == "log");
    const auto what = message_of_line(plan, R"({"v":1,"type":"R","dst":{"app":"b"},"cmds":[{"name":"a.b","args":[1]}]})");
    REQUIRE(what);
    CHECK(what->reliable);
    CHECK(what->to.text() == "(app:b)");
    CHECK(fault({"-j", "-l", "app:b"}) == errc::bad_argument);
    CHECK(fault({"-j", "-l", "--wait-for", "1"}) == errc::bad_argument);
}

TEST_CASE("a dry run shows the datagram's text with one command a line") {
    const auto plan = good_plan({"--dry-run", "-r", "app:b", "demo.text", "\"hi\"", "1", "2.5", "sym"});
    const auto text = datagram_text(plan, *plan.message, 1'795'209'264'123);
    REQUIRE(text);
    CHECK(text->find("mbus/1.0 1 1795209264123 R (module:mbus-send) (app:b) ()\n") == 0);
    CHECK(text->find("demo.text") != std::string::npos);
    CHECK(text->find('\r') == std::string::npos);
    const auto line = json_text(plan, *plan.message, 1'795'209'264'123);
    REQUIRE(line);
    const auto read = mbus::json::parse_message(*line);
    REQUIRE(read);
    CHECK(read->commands == plan.message->commands);
}

TEST_CASE("a message beyond a datagram is too large already in a dry run") {
    const auto plan = good_plan({"--dry-run", "app:b", "a.b", "\"" + std::string(70'000, 'x') + "\""});
    const auto text = datagram_text(plan, *plan.message, 0);
    REQUIRE_FALSE(text);
    CHECK(text.error().code == errc::too_large);
    CHECK(exit_code_of(text.error().code) == exit_code::invalid);
}

TEST_CASE("each outcome has its exit status and its JSON line") {
    send_outcome outcome{.to = *mbus::address::parse("(app:b)"), .reliable = true};
    outcome.delivered = mbus::delivery{*mbus::address::parse("(app:b id:1-1@127.0.0.1)"), 2, 103ms};
    CHECK(outcome.status() == exit_code::ok);
    CHECK(outcome_json(outcome) ==
          R"({"v":1,"ok":true,"type":"R","dst":{"app":"b"},"entity":{"app":"b","id":"1-1@127.0.0.1"},"tried":2,"took":103})");
    CHECK(outcome_text(outcome) == "acknowledged by (app:b id:1-1@127.0.0.1) after 2 transmissions, 103 ms");

    send_outcome nobody{.to = *mbus::address::parse("(app:b)"), .matched = 0};
    CHECK(nobody.status() == exit_code::nobody_matched);
    CHECK(outcome_json(nobody).find(R"({"v":1,"ok":false,"type":"U","dst":{"app":"b"},"matched":0,"code":"no-match","text":)") == 0);

    send_outcome several{.to = {}, .reliable = true, .failure = mbus::error{errc::not_unique, "2 entities match"}};
    CHECK(several.status() == exit_code::not_unique);
}

TEST_CASE("the exit statuses are those of the manual") {
    CHECK(static_cast<int>(exit_code_of(errc::no_match)) == 3);
    CHECK(static_cast<int>(exit_code_of(errc::not_acknowledged)) == 4);
    CHECK(static_cast<int>(exit_code_of(errc::left)) == 4);
    CHECK(static_cast<int>(exit_code_of(errc::overflow)) == 4);
    CHECK(static_cast<int>(exit_code_of(errc::not_unique)) == 5);
    CHECK(static_cast<int>(exit_code_of(errc::forbidden)) == 6);
    CHECK(static_cast<int>(exit_code_of(errc::too_large)) == 7);
    CHECK(static_cast<int>(exit_code_of(errc::bad_command)) == 7);
    CHECK(static_cast<int>(exit_code_of(errc::no_daemon)) == 8);
    CHECK(static_cast<int>(exit_code_of(errc::timed_out)) == 124);
    CHECK(static_cast<int>(exit_code_of(errc::internal)) == 1);
    CHECK(static_cast<int>(exit_code_of(errc::bad_argument)) == 2);
}
