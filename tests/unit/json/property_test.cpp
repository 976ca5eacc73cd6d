// Properties over random values. rapidcheck prints the seed and the smallest counterexample.
#include <string>

#include <doctest/doctest.h>

#include "generators.hpp"

namespace json = mbus::json;
using namespace mbus::json::testing;

namespace {

// Random octets seldom get far; pieces of real lines do.
std::string mutated(std::string line, const std::vector<std::pair<std::size_t, char>>& changes) {
    for (const auto& [at, octet] : changes) {
        if (line.empty()) break;
        const auto where = at % line.size();
        if (octet % 3 == 0) line.erase(where, 1);
        else if (octet % 3 == 1) line.insert(where, 1, octet);
        else line[where] = octet;
    }
    return line;
}

}  // namespace

TEST_CASE("every value round-trips through JSON") {
    CHECK(rc::check("value -> JSON -> value", [] {
        const auto what = *values();
        std::string text;
        RC_ASSERT(json::append_value(text, what).has_value());
        const auto read = json::parse_value(text);
        RC_ASSERT(read.has_value());
        RC_ASSERT(*read == what);
        RC_ASSERT(text.find('\n') == std::string::npos);
    }));
}

TEST_CASE("every value round-trips through text and JSON together") {
    CHECK(rc::check("value -> text -> value -> JSON -> value -> text", [] {
        const auto what = *values();
        const auto text = mbus::format_value(what);
        RC_ASSERT(text.has_value());
        const auto from_text = mbus::parse_value(*text);
        RC_ASSERT(from_text.has_value());
        std::string line;
        RC_ASSERT(json::append_value(line, *from_text).has_value());
        const auto from_line = json::parse_value(line);
        RC_ASSERT(from_line.has_value());
        RC_ASSERT(mbus::format_value(*from_line).value() == *text);
    }));
}

TEST_CASE("every message round-trips through its line") {
    CHECK(rc::check("record -> line -> record", [] {
        const auto what = *records();
        const auto line = json::format_message(what);
        RC_ASSERT(line.has_value());
        const auto read = json::parse_message(*line);
        RC_ASSERT(read.has_value());
        RC_ASSERT(*read == what);
        RC_ASSERT(json::format_message(*read).value() == *line);
    }));
}

TEST_CASE("any octets in give a message or a located error, never a crash") {
    CHECK(rc::check("octets -> record or error", [](const std::string& octets) {
        const auto read = json::parse_message(octets);
        if (!read) RC_ASSERT(!read.error().text.empty());
    }));
    CHECK(rc::check("damaged line -> record or error", [](const std::vector<std::pair<std::size_t, char>>& changes) {
        const auto line = mutated(json::format_message(*records()).value(), changes);
        const auto read = json::parse_message(line);
        if (!read) {
            RC_ASSERT(!read.error().text.empty());
        } else {
            RC_ASSERT(json::format_message(*read).has_value());
        }
    }));
}

TEST_CASE("any octets become a JSON string") {
    CHECK(rc::check("octets -> string", [](const std::string& octets) {
        std::string text;
        json::append_string(text, octets);
        RC_ASSERT(text.size() >= 2U);
        RC_ASSERT(text.find('\n') == std::string::npos);
    }));
}
