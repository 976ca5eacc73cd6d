// What mbus-listen prints.
#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <mbus_json/message_json.hpp>

#include "mbus-listen/exec.hpp"
#include "mbus-listen/format.hpp"
#include "mbus-listen/plan.hpp"
#include "mbus-listen/spec.hpp"

using namespace mbus::tools;

namespace {

mbus::received_message heard() {
    mbus::received_message message;
    message.from = *mbus::address::parse("(app:rat id:7-1@10.0.0.1)");
    message.to = *mbus::address::parse("(media:audio)");
    message.entity = *mbus::address::parse("(app:b media:audio id:8-1@10.0.0.1)");
    message.set_commands({{"audio.gain", {80, mbus::symbol{"on"}}}, {"audio.say", {"a\x1b[31m"}}});
    message.body = "audio.gain (80 on)\r\naudio.say (\"a\x1b[31m\")\r\n";
    message.reliable = true;
    message.time = std::chrono::system_clock::time_point{std::chrono::milliseconds{1'795'209'264'123}};
    return message;
}

mbus::result<listen_plan> plan_of(std::vector<std::string> line) {
    auto args = parse_arguments(mbus_listen_spec(), line);
    REQUIRE_MESSAGE(args.has_value(), (args ? std::string{} : args.error().text));
    return make_listen_plan(*args);
}

}  // namespace

TEST_CASE("a format's placeholders are filled in") {
    const auto format = line_format::parse("%t|%u|%f|%d|%e|%y|%n|%a|%A|%%\\t|");
    REQUIRE(format);
    const auto message = heard();
    CHECK(format->apply(message, message.commands()[0]) ==
          "2026-11-20T21:14:24.123Z|1795209264123|(app:rat id:7-1@10.0.0.1)|(media:audio)|(app:b id:8-1@10.0.0.1 media:audio)|R|"
          "audio.gain|(80 on)|80 on|%\t|");
}

TEST_CASE("number and interface are told for what came from the bus") {
    const auto format = line_format::parse("%i %s");
    REQUIRE(format);
    auto message = heard();
    CHECK(format->apply(message, message.commands()[0]) == "- -");
    CHECK(message_json(message).find(R"("if":null,"seq":null,)") != std::string::npos);
    message.sequence = 0;
    message.interface = "eth0";
    CHECK(format->apply(message, message.commands()[0]) == "eth0 0");
    CHECK(message_json(message).find(R"("if":"eth0","seq":0,)") != std::string::npos);
}

TEST_CASE("an unknown placeholder is refused, with those that are known") {
    for (const auto* text : {"%z", "100%", "%"}) {
        const auto format = line_format::parse(text);
        REQUIRE_FALSE(format);
        CHECK(format.error().text.find("%t %T") != std::string::npos);
    }
}

TEST_CASE("control characters of a message are made printable, in every form") {
    const auto message = heard();
    const auto format = line_format::parse("%a %c");
    REQUIRE(format);
    CHECK(format->apply(message, message.commands()[1]).find('\x1b') == std::string::npos);
    CHECK(plain_line(message, message.commands()[1]).find('\x1b') == std::string::npos);
    CHECK(message_json(message).find('\x1b') == std::string::npos);
}

TEST_CASE("a JSON line holds the message with all its commands") {
    const auto read = mbus::json::parse_message(message_json(heard()));
    REQUIRE(read);
    CHECK(read->commands == heard().commands());
    CHECK(read->type == mbus::message_type::reliable);
    CHECK(*read->source == heard().from);
    CHECK(read->timestamp == 1'795'209'264'123);
}

TEST_CASE("a plain line has time, source and command; a monitor's also the destination") {
    auto message = heard();
    const auto line = plain_line(message, message.commands()[0]);
    CHECK(line.find(" (app:rat id:7-1@10.0.0.1) R audio.gain") == 12);
    message.monitored = true;
    CHECK(plain_line(message, message.commands()[0]).find("-> (media:audio)") != std::string::npos);
}

TEST_CASE("an opaque body appears as mbws.data in JSON") {
    auto message = heard();
    message.set_commands({});
    message.type = "image/png";
    message.body = std::string{"\x89PNG\0", 5};
    const auto read = mbus::json::parse_message(message_json(message));
    REQUIRE(read);
    REQUIRE(read->commands.size() == 1);
    CHECK(read->commands[0].name == "mbws.data");
    CHECK(read->commands[0].arguments[1] == mbus::value{mbus::data{message.body}});
    CHECK(plain_opaque_line(message).find("image/png: 5 octets") != std::string::npos);
}

TEST_CASE("what joins and leaves is an event") {
    const mbus::peer who{*mbus::address::parse("(app:b)"), mbus::peer_state::joined};
    CHECK(peer_json(who, 0) == R"({"v":1,"ts":"1970-01-01T00:00:00.000Z","event":"joined","peer":{"app":"b"}})");
}

TEST_CASE("each ADDRESS is an entity; none is (module:mbus-listen); --as adds to all") {
    CHECK(plan_of({})->addresses == std::vector{*mbus::address::parse("(module:mbus-listen)")});
    const auto plan = plan_of({"(app:a)", "app:b media:x", "--as", "site:lab"});
    REQUIRE(plan);
    REQUIRE(plan->addresses.size() == 2);
    CHECK(plan->addresses[0].text() == "(app:a site:lab)");
    CHECK(plan->addresses[1].text() == "(app:b media:x site:lab)");
    CHECK(plan_of({"-a"})->addresses == std::vector{mbus::address{}});
    CHECK_FALSE(plan_of({"word"}));
}

TEST_CASE("globs and sources filter the commands of a message") {
    const auto message = heard();
    CHECK(plan_of({"-c", "audio.g*"})->wanted(message)->commands().size() == 1);
    CHECK(plan_of({"-x", "audio.gain"})->wanted(message)->commands().front().name == "audio.say");
    CHECK_FALSE(plan_of({"-c", "video.*"})->wanted(message));
    CHECK(plan_of({"--from", "app:rat"})->wanted(message));
    CHECK_FALSE(plan_of({"--from", "app:vic"})->wanted(message));
    CHECK(plan_of({"-1"})->count == 1);
}

TEST_CASE("a command of --exec gets the message in its environment") {
    const auto variables = exec_environment(heard());
    const auto find = [&](const std::string& name) {
        for (const auto& [key, held] : variables) {
            if (key == name) return held;
        }
        return std::string{"?"};
    };
    CHECK(find("MBUS_SOURCE") == "(app:rat id:7-1@10.0.0.1)");
    CHECK(find("MBUS_DESTINATION") == "(media:audio)");
    CHECK(find("MBUS_COMMAND") == "audio.gain");
    CHECK(find("MBUS_ARGUMENTS") == "(80 on)");
    CHECK(find("MBUS_TYPE") == "R");
}

TEST_CASE("--exec runs the shell with the JSON line on stdin and reports its status") {
    signals events;
    const auto good = run_for_message("read line && case \"$line\" in '{\"v\":1,'*) exit 0;; esac; exit 9", heard(), events);
    REQUIRE(good);
    CHECK(*good == 0);
    const auto bad = run_for_message("test \"$MBUS_COMMAND\" = audio.gain && exit 5", heard(), events);
    REQUIRE(bad);
    CHECK(*bad == 5);
    // A message never becomes part of the shell's text.
    auto evil = heard();
    evil.set_commands({{"a$(exit)", evil.commands()[0].arguments}});
    CHECK(*run_for_message("test \"$MBUS_COMMAND\" = 'a$(exit)'", evil, events) == 0);
}
