// The labs of tests/unit check with doctest. Here no test runs: what fails ends the process.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "fuzz.hpp"

namespace {

struct outside_of_tests {
    outside_of_tests() {
        context.setAsDefaultForAssertsOutOfTestCases();
        context.setAssertHandler([](const doctest::AssertData& what) { fuzz::require(!what.m_failed, what.m_expr); });
    }
    doctest::Context context;
} const everywhere;

}  // namespace
