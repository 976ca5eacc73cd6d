// How every tool ends (mbus(1), "EXIT STATUS").
//
// Thread-safety: plain values.
#pragma once

#include <mbus/result.hpp>

namespace mbus::tools {

enum class exit_code : int {
    ok = 0,
    failed = 1,             // anything without a code of its own
    usage = 2,              // the command line makes no sense
    nobody_matched = 3,
    not_acknowledged = 4,
    not_unique = 5,
    refused = 6,            // rights, quotas, an address that is taken
    invalid = 7,            // too large, or an address, command or value outside the grammar
    no_daemon = 8,
    time_limit = 124,       // as timeout(1)
    interrupted = 130,      // 128 + SIGINT
    terminated = 143,       // 128 + SIGTERM
};

[[nodiscard]] exit_code exit_code_of(errc code) noexcept;

// The graver of two outcomes of one run: the first failure counts.
[[nodiscard]] constexpr exit_code first_failure(exit_code before, exit_code now) noexcept {
    return before == exit_code::ok ? now : before;
}

}  // namespace mbus::tools
