#include "cli/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "cli/text.hpp"

namespace mbus::tools {

bool output::raw(std::string_view octets) {
    if (broken_) return false;
    const bool written = std::fwrite(octets.data(), 1, octets.size(), stdout) == octets.size() && std::fflush(stdout) == 0;
    if (written) return true;
    const int fault = errno;
    broken_ = true;
    if (fault == EPIPE) return false;
    lost_ = true;
    note(fmt::format("can't write to stdout: {}", std::strerror(fault)));
    return false;
}

bool output::line(std::string_view text) {
    std::string whole{text};
    whole += '\n';
    return raw(whole);
}

void output::note(std::string_view text) const {
    if (level_ == level::quiet) return;
    const auto whole = fmt::format("{}: {}\n", program_, printable(text));
    std::fwrite(whole.data(), 1, whole.size(), stderr);
    std::fflush(stderr);
}

void output::detail(std::string_view text) const {
    if (level_ == level::verbose) note(text);
}

exit_code output::fail(const error& failure) const {
    note(failure.text.empty() ? std::string{to_string(failure.code)} : failure.text);
    return exit_code_of(failure.code);
}

}  // namespace mbus::tools
