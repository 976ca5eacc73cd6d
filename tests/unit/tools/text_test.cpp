#include <string>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "cli/text.hpp"

using mbus::tools::printable;

TEST_CASE("control characters of others never reach a terminal") {
    CHECK(printable("\x1b[2Jx\n\t\x7f") == "\\x1b[2Jx\\x0a\\x09\\x7f");
    CHECK(printable("\xC2\x9B" "31m") == "\\xc2\\x9b31m");  // C1: CSI in one character
    CHECK(printable("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80") == "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80");
    CHECK(printable("\xFF\xC3") == "\\xff\\xc3");
    CHECK(printable("\xED\xA0\x80\xC0\xAF") == "\\xed\\xa0\\x80\\xc0\\xaf");  // a surrogate, an overlong form
}

TEST_CASE("any octets become printable") {
    CHECK(rc::check("printable", [](const std::string& octets) {
        for (const char one : printable(octets)) RC_ASSERT(static_cast<unsigned char>(one) >= 0x20U);
    }));
}
