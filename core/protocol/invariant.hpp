// invariant(condition): a promise that the code makes to itself, checked in every build. A broken
// one ends the process with its location, since nothing after it could be trusted.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace mbus::protocol {

// The built-in functions instead of std::source_location, which clang 14 does not have.
inline void invariant(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE(),
                      const char* function = __builtin_FUNCTION()) noexcept {
    if (holds) [[likely]]
        return;
    std::fprintf(stderr, "mbus: broken invariant at %s:%d in %s\n", file, line, function);
    std::abort();
}

}  // namespace mbus::protocol
