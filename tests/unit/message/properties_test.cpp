// What holds for every value and for every string of octets. RapidCheck prints the seed of a failure.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

#include <mbus/message.hpp>

#include "support/generators.hpp"

using mbus::dialect;

TEST_CASE("every value round-trips through its text") {
    CHECK(rc::check([](const mbus::value& original) {
        for (const auto form : {dialect::rfc, dialect::legacy}) {
            const auto text = mbus::format_value(original, form);
            RC_ASSERT(text.has_value());
            const auto read = mbus::parse_value(*text, form);
            RC_ASSERT(read.has_value());
            RC_ASSERT(*read == original);
        }
    }));
}

TEST_CASE("every payload round-trips, and what we write needs no leniency") {
    CHECK(rc::check([](const std::vector<mbus::command>& original) {
        const auto text = mbus::format_commands(original);
        RC_ASSERT(text.has_value());
        const auto read = mbus::parse_commands(*text);
        RC_ASSERT(read.has_value());
        RC_ASSERT(*read == original);
        mbus::command_scanner scan{*text};
        std::size_t count = 0;
        while (scan.next() != nullptr) ++count;
        RC_ASSERT(!scan.failed());
        RC_ASSERT(!scan.needs_rewrite());
        RC_ASSERT(count == original.size());
    }));
}

TEST_CASE("any octets in: the two walks agree, and what was read can be written and read again") {
    CHECK(rc::check([](const std::string& octets, bool legacy) {
        const auto form = legacy ? dialect::legacy : dialect::rfc;
        mbus::command_scanner scan{octets, form};
        while (scan.next() != nullptr) {
        }
        const auto read = mbus::parse_commands(octets, form);
        RC_ASSERT(read.has_value() != scan.failed());
        (void)mbus::parse_header(octets, form);
        (void)mbus::parse_message(octets, form);
        (void)mbus::address::parse(octets);
        (void)mbus::parse_value(octets, form);
        if (read) RC_ASSERT(*mbus::parse_commands(*mbus::format_commands(*read)) == *read);
    }));
}

TEST_CASE("one changed octet in good text is read or refused, never worse") {
    CHECK(rc::check([](const mbus::command& original, std::size_t where, char octet) {
        auto text = *mbus::format_commands({&original, 1});
        text[where % text.size()] = octet;
        const auto read = mbus::parse_commands(text);
        if (read) {
            RC_ASSERT(*mbus::parse_commands(*mbus::format_commands(*read)) == *read);
        } else {
            RC_ASSERT(read.error().offset <= text.size());
        }
    }));
}
