// invariant(condition): a promise that the code makes to itself, checked in every build. A broken
// one ends the process with its location, since nothing after it could be trusted.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace mbus::protocol {

inline void invariant(bool holds, std::source_location where = std::source_location::current()) noexcept {
    if (holds) [[likely]] return;
    std::fprintf(stderr, "mbus: broken invariant at %s:%u in %s\n", where.file_name(),
                 static_cast<unsigned>(where.line()), where.function_name());
    std::abort();
}

}  // namespace mbus::protocol
