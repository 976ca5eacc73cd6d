// Entries from text, for the tests of Atom.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "xml/element.hpp"
#include "xml/reader.hpp"
#include "xml/writer.hpp"

namespace atom_test {

inline mbusd::xml::element parse(std::string_view text) {
    mbusd::xml::document_reader reader;
    auto got = reader.read(text);
    REQUIRE_MESSAGE(got, reader.fault().text);
    return std::move(*got);
}

inline constexpr std::string_view needed =
    "<id>urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a</id><title>Dawn</title><updated>2026-11-21T06:00:00Z</updated>";

// An entry that is right, with `more` in it.
inline mbusd::xml::element entry(std::string_view more = {}) {
    return parse("<entry xmlns='http://www.w3.org/2005/Atom'>" + std::string{needed} + std::string{more} + "</entry>");
}

}  // namespace atom_test
