// The command line, read by the option tables.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/arguments.hpp"
#include "cli/duration.hpp"
#include "mbus-listen/spec.hpp"
#include "mbus-send/spec.hpp"
#include "mbus/verbs.hpp"

using namespace mbus::tools;
using namespace std::chrono_literals;

namespace {

mbus::result<arguments> read(const tool_spec& spec, std::vector<std::string> line) { return parse_arguments(spec, line); }

std::string refusal(const tool_spec& spec, std::vector<std::string> line) {
    auto args = parse_arguments(spec, line);
    REQUIRE_FALSE(args);
    CHECK(args.error().code == mbus::errc::bad_argument);
    return args.error().text;
}

}  // namespace

TEST_CASE("options and words are told apart, wherever they stand") {
    const auto args = read(mbus_send_spec(), {"-r", "app:b", "demo.text", "\"hi\"", "-5", "-W", "2", "sym", "--json"});
    REQUIRE(args);
    CHECK(args->has("reliable"));
    CHECK(args->has("json"));
    CHECK(args->duration("timeout") == 2000ms);
    CHECK(args->words() == std::vector<std::string>{"app:b", "demo.text", "\"hi\"", "-5", "sym"});
}

TEST_CASE("words in brackets and with commas stay as they are") {
    const auto args = read(mbus_send_spec(), {"()", "a.b", "[1,2]", "(1 2)", "{}", ""});
    REQUIRE(args);
    CHECK(args->words() == std::vector<std::string>{"()", "a.b", "[1,2]", "(1 2)", "{}", ""});
}

TEST_CASE("after -- everything is a word") {
    const auto args = read(mbus_send_spec(), {"--", "app:b", "a.b", "-5"});
    REQUIRE(args);
    CHECK(args->words() == std::vector<std::string>{"app:b", "a.b", "-5"});
}

TEST_CASE("short options combine, values may stand behind = or at once") {
    const auto args = read(mbus_send_spec(), {"-rv", "-n3", "--timeout=500ms", "app:b", "a.b"});
    REQUIRE(args);
    CHECK(args->has("reliable"));
    CHECK(args->has("verbose"));
    CHECK(args->count("count") == 3);
    CHECK(args->duration("timeout") == 500ms);
}

TEST_CASE("-1 is an option of mbus-listen") {
    const auto args = read(mbus_listen_spec(), {"-1", "app:b"});
    REQUIRE(args);
    CHECK(args->has("one"));
}

TEST_CASE("an unknown option is answered with the nearest right one") {
    CHECK(refusal(mbus_send_spec(), {"--reliabel", "app:b", "a.b"}) == "unknown option --reliabel; did you mean --reliable?");
    CHECK(refusal(mbus_send_spec(), {"--time=3", "app:b", "a.b"}) == "unknown option --time; did you mean --timeout?");
    CHECK(refusal(mbus_send_spec(), {"-R", "app:b", "a.b"}) == "unknown option -R; did you mean -r (--reliable)?");
    CHECK(refusal(mbus_listen_spec(), {"--jsn"}) == "unknown option --jsn; did you mean --json?");
    CHECK(refusal(mbus_send_spec(), {"--zzzzzz", "app:b", "a.b"}).find("mbus-send --help") != std::string::npos);
}

TEST_CASE("options that contradict each other are refused") {
    CHECK(refusal(mbus_send_spec(), {"-i", "1", "--rate", "5", "()", "a.b"}) ==
          "--interval and --rate contradict each other; give one of them");
    CHECK(refusal(mbus_send_spec(), {"-q", "-v", "()", "a.b"}).find("contradict") != std::string::npos);
    CHECK(refusal(mbus_listen_spec(), {"-j", "-r"}).find("contradict") != std::string::npos);
    CHECK(refusal(mbus_listen_spec(), {"-1", "-n", "2"}).find("contradict") != std::string::npos);
}

TEST_CASE("an option without its operand, or with a wrong one, says what it needs") {
    CHECK(refusal(mbus_send_spec(), {"()", "a.b", "-W"}) == "--timeout needs TIME after it");
    CHECK(refusal(mbus_send_spec(), {"-W", "soon", "()", "a.b"}).find("--timeout 'soon': expected seconds") == 0);
    CHECK(refusal(mbus_send_spec(), {"-n", "0", "()", "a.b"}).find("whole number above 0") != std::string::npos);
    CHECK(refusal(mbus_send_spec(), {"-n", "1.5", "()", "a.b"}).find("whole number above 0") != std::string::npos);
    CHECK(refusal(mbus_send_spec(), {"--rate", "nan", "()", "a.b"}).find("--rate 'nan'") == 0);
    CHECK(refusal(mbus_send_spec(), {"--as", "no address", "()", "a.b"}).find("--as") == 0);
    CHECK(refusal(mbus_send_spec(), {"-n", "1", "-n", "2", "()", "a.b"}).find("give it once") != std::string::npos);
    CHECK(refusal(mbus_send_spec(), {"--json=maybe", "()", "a.b"}).find("--json") == 0);
}

TEST_CASE("missing and superfluous words are refused with the usage") {
    CHECK(refusal(match_verb().spec, {}).find("usage: mbus match [options] ADDRESS...") != std::string::npos);
    CHECK(refusal(doctor_verb().spec, {"now"}).find("'now' is one word too many") == 0);
}

TEST_CASE("--help wins over everything that is missing") {
    const auto args = read(match_verb().spec, {"--help"});
    REQUIRE(args);
    CHECK(args->has("help"));
}

TEST_CASE("durations have units") {
    CHECK(parse_duration("5") == 5000ms);
    CHECK(parse_duration("0.25") == 250ms);
    CHECK(parse_duration("200ms") == 200ms);
    CHECK(parse_duration("2m") == 120s);
    CHECK(parse_duration("1h") == 3600s);
    CHECK(parse_duration("0") == 0ms);
    for (const auto* text : {"", "-1", "5x", "s", "1e3", "inf", "nan", "0.0001", "99999999h", "5 s"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text));
    }
}
