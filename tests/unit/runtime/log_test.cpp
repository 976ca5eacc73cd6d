#include "runtime/log.hpp"

#include <doctest/doctest.h>

using namespace mbusd;
using namespace std::chrono_literals;

namespace {

// A log whose lines can be looked at.
struct recorder {
    std::vector<std::string> lines;
    log_sink sink() {
        return [this](level which, std::string_view message, const std::vector<log_field>& fields) {
            lines.push_back(std::string{to_string(which)} + ": " + format_log_line(message, fields));
        };
    }
};

}  // namespace

TEST_CASE("a line is its message and its fields; values with blanks are quoted") {
    CHECK(
        format_log_line("interface joined", {{"interface", "eth0"}, {"error", "no route"}, {"empty", ""}}) ==
        "interface joined interface=eth0 error=\"no route\" empty=\"\"");
}

TEST_CASE("a log line stays one line, whatever a value holds") {
    CHECK(format_log_line("x", {{"peer", "a\nmbusd: error: forged\x1b[2J\"\\"}}) ==
          "x peer=\"a\\nmbusd: error: forged\\x1b[2J\\\"\\\\\"");
}

TEST_CASE("lines below the threshold are left out") {
    recorder seen;
    logger log{level::warning, seen.sink()};
    log.info("not this");
    log.warning("this");
    log.error("and this");
    CHECK(seen.lines == std::vector<std::string>{"warning: this", "error: and this"});
    log.set_level(level::debug);
    log.debug("now this too");
    CHECK(seen.lines.size() == 3);
}

TEST_CASE("a limited line comes once per interval, and then says how many were left out") {
    // given a clock that we turn
    std::chrono::steady_clock::time_point now{};
    recorder seen;
    logger log{level::info, seen.sink()};
    log.set_clock([&] { return now; });
    // when one key repeats and another comes once
    for (int i = 0; i < 5; ++i) log.limited(level::warning, "send/eth0", "could not send");
    log.limited(level::warning, "send/eth1", "could not send");
    now += 11s;
    log.limited(level::warning, "send/eth0", "could not send");
    // then
    CHECK(seen.lines == std::vector<std::string>{"warning: could not send", "warning: could not send",
                                                 "warning: could not send suppressed=4"});
}

TEST_CASE("the limiter's memory is bounded") {
    recorder seen;
    logger log{level::info, seen.sink()};
    for (int i = 0; i < 5000; ++i) log.limited(level::info, "key" + std::to_string(i), "x");
    CHECK(seen.lines.size() == 5000);
}

TEST_CASE("levels have names, and names have levels") {
    level found = level::error;
    for (const auto which : {level::error, level::warning, level::notice, level::info, level::debug}) {
        REQUIRE(parse_level(to_string(which), found));
        CHECK(found == which);
    }
    CHECK_FALSE(parse_level("verbose", found));
}
