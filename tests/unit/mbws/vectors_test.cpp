// Both codecs agree: what this one writes stands in cpp-*.json, and it reads what JavaScript wrote in
// js-*.json (sdk/js/tests/vectors.test.mjs does the same the other way round).
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <mbus/address.hpp>
#include <mbus/command.hpp>

#include "mbws/text_frame.hpp"
#include "vector_file.hpp"

using namespace mbus;           // NOLINT(google-build-using-namespace): a test
using namespace mbus::vectors;  // NOLINT(google-build-using-namespace)
using mbws::frame_view;
using mbws::key;

namespace {

constexpr std::uint64_t seed = 20261120;  // of all that is made here

// --- frames -------------------------------------------------------------------------------------

json::object entry_of(const frame_view& frame) {
    std::string binary;
    REQUIRE(append_frame(binary, frame));
    json::object entry = to_json(frame);
    entry["binary"] = hex(binary);
    std::string text;
    entry["text"] = append_text_frame(text, frame) ? json::value(json::string(text)) : json::value();
    return entry;
}

json::array made_frames() {
    dice from{seed};
    json::array entries;
    for (int made = 0; made < 200; ++made) {
        frame_view frame;
        std::vector<std::string> texts(mbws::keys_end);
        frame.verb = static_cast<mbws::verb>(1 + from.below(17));
        frame.flags = static_cast<std::uint8_t>(from.below(8));
        frame.number = from.one_in(3) ? 0 : from.next() >> from.below(64);
        // Addresses by number are for the local binding, which JavaScript does not speak.
        for (std::size_t code = 1; code < static_cast<std::size_t>(key::addresses); ++code) {
            if (!from.one_in(6)) continue;
            const auto which = static_cast<key>(code);
            const auto octets = mbws::octets_of(mbws::kind_of(which));
            if (octets == 0) {
                texts[code] = random_text(from, false);
                frame.set(which, std::string_view{texts[code]});
            } else {
                std::uint64_t number = from.next() >> from.below(64);
                if (mbws::kind_of(which) == mbws::value_kind::yes_no) number &= 1U;
                if (octets < 8) number &= (std::uint64_t{1} << 8 * octets) - 1;
                frame.set(which, number);
            }
        }
        std::string body = from.one_in(3) ? std::string{} : random_text(from, true);
        if (from.one_in(5)) body += "\xff\x80";
        frame.body = body;
        entries.push_back(entry_of(frame));
    }
    return entries;
}

// Frames that are not to be read, and why.
json::array bad_frames() {
    json::array entries;
    const auto binary = [&](std::string_view why, std::string_view octets) {
        entries.push_back(json::object{{"binary", octets}, {"bad", why}});
    };
    const auto text = [&](std::string_view why, std::string_view lines) {
        entries.push_back(json::object{{"text", lines}, {"bad", why}});
    };
    binary("shorter than a header", "0700001000000000");
    binary("H below 16", "0700000f000000000000000000000000");
    binary("B too large", "07000010000000010000000000000000");
    binary("octets behind the frame", "0700001000000000000000000000000000");
    binary("a field beyond the header", "07000013000000000000000000000000010005");
    binary("half a field", "0700001200000000000000000000000001 00");
    binary("an integer of another size", "070000150000000000000000000000000600020001");
    binary("a field twice", "0700001a000000000000000000000000010002282901000228 29");
    binary("yes/no of 2", "07000014000000000000000000000000160001 02");
    binary("text that is not UTF-8", "07000014000000000000000000000000010001ff");
    binary("a control character", "0700001400000000000000000000000001000109");
    binary("DEL", "070000140000000000000000000000000100017f");
    text("a number that is none", "message x\n");
    text("a negative number", "message -1\n");
    text("a number beyond 64 bits", "message 18446744073709551616\n");
    text("no number after the blank", "message \n");
    text("no colon", "message\nto\n");
    text("a field twice", "message\nto: ()\nto: ()\n");
    text("a flag twice", "message\nreliable: yes\nreliable: no\n");
    text("neither yes nor no", "message\nreliable: 1\n");
    text("u32 with 33 bits", "connect\nwindow: 4294967296\n");
    text("a tab in a field", "message\nto: a\tb\n");
    text("two blanks before the number", "message  1\n");
    for (auto& entry : entries) {
        auto* const digits = entry.as_object().if_contains("binary");
        if (digits == nullptr) continue;
        auto& all = digits->as_string();
        all.erase(std::remove(all.begin(), all.end(), ' '), all.end());
    }
    return entries;
}

void check_frame(const json::object& entry) {
    const std::string binary = entry.contains("binary") ? unhex(entry.at("binary").as_string()) : "";
    frame_view frame;
    if (entry.contains("bad")) {
        if (entry.contains("binary")) CHECK(mbws::decode_frame(binary, frame) != nullptr);
        if (entry.contains("text")) CHECK_FALSE(mbws::parse_text_frame(entry.at("text").as_string(), frame));
        return;
    }
    REQUIRE(mbws::decode_frame(binary, frame) == nullptr);
    json::object read = to_json(frame);
    for (const auto* member : {"verb", "number", "flags", "fields", "body"}) CHECK(read.at(member) == entry.at(member));
    std::string again;
    REQUIRE(append_frame(again, frame));
    CHECK(hex(again) == entry.at("binary").as_string());
    std::string text;
    const bool has_text = append_text_frame(text, frame).has_value();
    CHECK(has_text == entry.at("text").is_string());
    if (!has_text) return;
    CHECK(text == entry.at("text").as_string());
    frame_view same;
    REQUIRE(mbws::parse_text_frame(text, same));
    CHECK(same == frame);
}

// --- commands -----------------------------------------------------------------------------------

json::object entry_of(const std::vector<command>& commands) {
    json::array list;
    for (const auto& each : commands) {
        list.push_back(json::object{{"name", each.name}, {"args", to_json(value{each.arguments})}});
    }
    return {{"payload", *format_commands(commands)}, {"commands", list}};
}

json::array made_commands() {
    dice from{seed + 1};
    json::array entries;
    for (int made = 0; made < 200; ++made) {
        std::vector<command> commands;
        for (auto more = from.below(3); more-- > 0;) {
            command next{random_symbol(from), {}};
            for (auto values = from.below(5); values-- > 0;) next.arguments.push_back(random_value(from, 3));
            commands.push_back(std::move(next));
        }
        entries.push_back(entry_of(commands));
    }
    return entries;
}

// What has to be read leniently, with `canonical` as it is written; what is refused, with `bad`.
json::array lenient_commands() {
    json::array entries;
    constexpr auto read = std::to_array<std::string_view>({
        "a()", "a()\n", "a()\r\n", "a ( )", "a\t( 1\t2 )  \r\nb()", "a(007 -0 -0.0 00.50)", "a(\"x\ny\")",
        "a(\"\\x\\\\\\\"\\n\")", "a(<>)", "a(<AA==AAA=AAAA>)", "a(<AB==>)", "a((()))", "a.b-c_d(on off.x-1)",
        "a(9007199254740991 9007199254740992 -9007199254740993)", "a(123456789012345678901234567890)",
        "a(0.1 100.0 1000000000000000000000000.0 0.000000000000000000000001 123456789.125)", "a(\"\")"});
    constexpr auto refused = std::to_array<std::string_view>({
        "a", "1()", "a(", "a(1", "a(1 2))", "a() b()", "a(+1)", "a(1.)", "a(.5)", "a(1e5)", "a(1.5.2)", "a(\"x)", "a(\"\\", "a(<A>)",
        "a(<AAA>)", "a(<=AAA>)", "a(<AA=A>)", "a(<A A A>)", "a(<AA_A>)", "a(1,2)", "a(1(2)3.5)", "a(\"\x7f\")", "a(#)", "\r\na()", "a()\r", "a(1\n2)",
        "a(\"x\"\"y\")", "-a()", "a(-)", "a(1 on2 3on)", "a(<AAAA)"});
    for (const auto payload : read) {
        auto entry = entry_of(*parse_commands(payload));
        entry["canonical"] = entry["payload"];
        entry["payload"] = payload;
        entries.push_back(entry);
    }
    for (const auto payload : refused) {
        CAPTURE(payload);
        REQUIRE_FALSE(parse_commands(payload));
        entries.push_back(json::object{{"payload", payload}, {"bad", true}});
    }
    const auto deep = [](std::size_t depth) { return "a" + std::string(depth, '(') + std::string(depth, ')'); };
    auto deepest = entry_of(*parse_commands(deep(list_depth_max)));
    deepest["canonical"] = deepest["payload"];
    entries.push_back(deepest);
    entries.push_back(json::object{{"payload", deep(list_depth_max + 1)}, {"bad", true}});
    return entries;
}

void check_commands(const json::object& entry) {
    const std::string payload{entry.at("payload").as_string()};
    const auto read = parse_commands(payload);
    CHECK(read.has_value() != entry.contains("bad"));
    if (!read || entry.contains("bad")) return;
    std::vector<command> named;
    for (const auto& each : entry.at("commands").as_array()) {
        command next{std::string{each.at("name").as_string()}, {}};
        for (const auto& argument : each.at("args").as_array()) next.arguments.push_back(from_json(argument));
        named.push_back(std::move(next));
    }
    CHECK(*read == named);
    const auto canonical = entry.contains("canonical") ? std::string{entry.at("canonical").as_string()} : payload;
    CHECK(*format_commands(*read) == canonical);
}

// --- addresses ----------------------------------------------------------------------------------

json::array made_addresses() {
    dice from{seed + 2};
    static constexpr std::array<std::string_view, 6> tags{"app", "module", "media", "id", "conf", "Z"};
    static constexpr std::array<std::string_view, 5> blanks{" ", "  ", "\t", " \t ", " "};
    json::array entries;
    std::vector<address> seen;
    for (int made = 0; made < 100; ++made) {
        std::string text = "(";
        for (const auto tag : tags) {
            if (from.one_in(2)) continue;
            text.insert(1, std::string{tag} + ":" + std::to_string(from.below(3)) + "@:*<\"" + std::string{blanks[from.below(5)]});
        }
        const auto read = address::parse_relaxed(text + ")");
        REQUIRE(read);
        const auto& other = seen.empty() ? *read : seen[from.below(seen.size())];
        entries.push_back(json::object{{"text", text + ")"},
                                       {"canonical", read->text()},
                                       {"target", other.text()},
                                       {"answers", read->answers_to(other)}});
        seen.push_back(*read);
    }
    constexpr auto refused = std::to_array<std::string_view>({"(", ")", "(app)", "(app:)", "(:x)", "(a1:x)", "(app:x app:y)", "(app:x)(b:y)",
                                                              "(app:\xc3\xa4)", "(app:a(b)", "app:x)", "(app:x) ", "(app:x\nb:y)"});
    for (const auto text : refused) {
        REQUIRE_FALSE(address::parse_relaxed(text));
        entries.push_back(json::object{{"text", text}, {"bad", true}});
    }
    for (const std::size_t octets : {tag_octets_max, tag_octets_max + 1}) {
        const std::string text = "(" + std::string(octets, 'a') + ":x)";
        entries.push_back(octets > tag_octets_max ? json::object{{"text", text}, {"bad", true}}
                                                  : json::object{{"text", text}, {"canonical", text}});
    }
    for (const std::size_t octets : {address_value_octets_max, address_value_octets_max + 1}) {
        const std::string text = "(a:" + std::string(octets, 'x') + ")";
        entries.push_back(octets > address_value_octets_max ? json::object{{"text", text}, {"bad", true}}
                                                            : json::object{{"text", text}, {"canonical", text}});
    }
    return entries;
}

void check_address(const json::object& entry) {
    const auto read = address::parse_relaxed(entry.at("text").as_string());
    CHECK(read.has_value() != entry.contains("bad"));
    if (!read || entry.contains("bad")) return;
    CHECK(read->text() == entry.at("canonical").as_string());
    if (!entry.contains("target")) return;
    CHECK(read->answers_to(*address::parse(entry.at("target").as_string())) == entry.at("answers").as_bool());
}

template <class Check>
void check_all(std::string_view name, Check check) {
    const auto entries = read_file(name);
    CHECK(entries.size() >= 20);
    for (const auto& entry : entries) {
        CAPTURE(json::serialize(entry));
        check(entry.as_object());
    }
}

}  // namespace

TEST_CASE("the vectors made by this codec are current (MBUS_WRITE_VECTORS=1 writes them anew)") {
    MESSAGE("seed " << seed);
    CHECK(holds("cpp-frames.json", made_frames()));
    CHECK(holds("cpp-bad-frames.json", bad_frames()));
    CHECK(holds("cpp-commands.json", made_commands()));
    CHECK(holds("cpp-lenient-commands.json", lenient_commands()));
    CHECK(holds("cpp-addresses.json", made_addresses()));
}

TEST_CASE("frames of both codecs read and write the same (docs/mbws.md s2)") {
    for (const auto* name : {"cpp-frames.json", "cpp-bad-frames.json", "js-frames.json"}) check_all(name, check_frame);
}

TEST_CASE("commands of both codecs read and write the same (RFC 3259 s5.3)") {
    for (const auto* name : {"cpp-commands.json", "cpp-lenient-commands.json", "js-commands.json"}) check_all(name, check_commands);
}

TEST_CASE("addresses of both codecs read and match the same (RFC 3259 s4)") {
    for (const auto* name : {"cpp-addresses.json", "js-addresses.json"}) check_all(name, check_address);
}
