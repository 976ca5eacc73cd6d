#include <string>

#include <doctest/doctest.h>
#include <mbus_json/message_json.hpp>

using mbus::address;
using mbus::errc;
using mbus::message_type;
using mbus::symbol;
namespace json = mbus::json;

namespace {

json::message_record example() {
    json::message_record record;
    record.timestamp = 1'795'209'264'123;
    record.interface = "eth0";
    record.sequence_number = 7;
    record.type = message_type::reliable;
    record.source = *address::parse("(app:rat id:7-1@10.0.0.1)");
    record.destination = *address::parse("(media:audio)");
    record.commands = {{"audio.gain", {80, symbol{"on"}, mbus::data{std::string_view{"\0\1\2", 3}}}}};
    return record;
}

constexpr std::string_view example_line =
    R"({"v":1,"ts":"2026-11-20T21:14:24.123Z","if":"eth0","seq":7,"type":"R",)"
    R"("src":{"app":"rat","id":"7-1@10.0.0.1"},"dst":{"media":"audio"},)"
    R"("cmds":[{"name":"audio.gain","args":[80,{"sym":"on"},{"data":"AAEC"}]}]})";

void refused(std::string_view text, std::string_view beginning) {
    CAPTURE(text);
    const auto read = json::parse_message(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().text.substr(0, beginning.size()) == beginning);
}

}  // namespace

TEST_CASE("a message has the documented form and reads back") {
    const auto line = json::format_message(example());
    REQUIRE(line);
    CHECK(*line == example_line);
    const auto read = json::parse_message(*line);
    REQUIRE(read);
    CHECK(*read == example());
}

TEST_CASE("what is not known is null, and every line has every member") {
    json::message_record record;
    record.destination = *address::parse("(app:b)");
    const auto line = json::format_message(record);
    REQUIRE(line);
    CHECK(*line == R"({"v":1,"ts":null,"if":null,"seq":null,"type":"U","src":null,"dst":{"app":"b"},"cmds":[]})");
    const auto read = json::parse_message(*line);
    REQUIRE(read);
    CHECK(*read == record);
}

TEST_CASE("dst and cmds are enough to send") {
    const auto read = json::parse_message(R"({"dst":{},"cmds":[{"name":"a.b"}]})");
    REQUIRE(read);
    CHECK(read->destination.empty());
    CHECK(read->type == message_type::unreliable);
    CHECK(read->commands == std::vector<mbus::command>{{"a.b", {}}});
}

TEST_CASE("a fault in a message is named by its JSON pointer") {
    refused("[]", "the JSON text: expected an object");
    refused(R"({"cmds":[]})", "the JSON text: the member \"dst\" is missing");
    refused(R"({"dst":{}})", "the JSON text: the member \"cmds\" is missing");
    refused(R"({"v":2,"dst":{},"cmds":[]})", "/v: ");
    refused(R"({"dst":{},"cmds":[],"typ":"R"})", "/typ: no such member");
    refused(R"({"dst":{},"cmds":[],"type":"X"})", "/type: ");
    refused(R"({"dst":{},"cmds":[],"seq":-1})", "/seq: ");
    refused(R"({"dst":{},"cmds":[],"seq":4294967296})", "/seq: ");
    refused(R"({"dst":{},"cmds":[],"ts":"yesterday"})", "/ts: ");
    refused(R"({"dst":{},"cmds":[],"if":7})", "/if: ");
    refused(R"({"dst":{"app":1},"cmds":[]})", "/dst/app: ");
    refused(R"({"dst":{"app":"a b"},"cmds":[]})", "/dst: ");
    refused(R"({"dst":{},"cmds":{}})", "/cmds: ");
    refused(R"({"dst":{},"cmds":[{}]})", "/cmds/0: the member \"name\"");
    refused(R"({"dst":{},"cmds":[{"name":"1"}]})", "/cmds/0/name: ");
    refused(R"({"dst":{},"cmds":[{"name":"a","args":1}]})", "/cmds/0/args: ");
    refused(R"({"dst":{},"cmds":[{"name":"a","args":[1,null]}]})", "/cmds/0/args/1: ");
    refused(R"({"dst":{},"cmds":[{"name":"a","arg":[]}]})", "/cmds/0/arg: ");
    refused(R"({"dst":{},"cmds":[],"a/b~c":1})", "/a/b~c: ");
}

TEST_CASE("a message that can't be written says why") {
    auto record = example();
    record.commands[0].name = "no name";
    CHECK_FALSE(json::format_message(record));
    record = example();
    record.timestamp = json::timestamp_max + 1;
    const auto line = json::format_message(record);
    REQUIRE_FALSE(line);
    CHECK(line.error().code == errc::bad_value);
}

TEST_CASE("an address reads back") {
    const auto address = mbus::address::parse("(app:rat id:7-1@10.0.0.1 odd:\"quoted\\\")");
    REQUIRE(address);
    std::string out;
    json::append_address(out, *address);
    const auto read = json::parse_address(out);
    REQUIRE(read);
    CHECK(*read == *address);
}
