// Where a tool writes: data to stdout, one flushed line per message; everything else to stderr.
//
// Thread-safety: one thread.
#pragma once

#include <string>
#include <string_view>

#include <mbus/result.hpp>

#include "cli/exit_code.hpp"

namespace mbus::tools {

class output {
public:
    enum class level : unsigned char { quiet, normal, verbose };

    output(std::string_view program, level how) : program_(program), level_(how) {}

    // To stdout with a line end, at once. False when nobody reads any more (then end silently, as
    // every part of a pipe does) or when it can't be written (a full disk: that is said, see lost()).
    bool line(std::string_view text);
    // To stdout as it is.
    bool raw(std::string_view octets);

    // "mbus-send: nobody matched ..." to stderr; not when quiet.
    void note(std::string_view text) const;
    // Only with --verbose.
    void detail(std::string_view text) const;
    // Prints the failure and gives its exit status.
    exit_code fail(const error& failure) const;

    [[nodiscard]] bool broken() const noexcept { return broken_; }
    // Data could not be written though somebody wants it: the tool failed.
    [[nodiscard]] bool lost() const noexcept { return lost_; }
    [[nodiscard]] bool verbose() const noexcept { return level_ == level::verbose; }
    [[nodiscard]] bool quiet() const noexcept { return level_ == level::quiet; }

private:
    std::string program_;
    level level_;
    bool broken_ = false;
    bool lost_ = false;
};

}  // namespace mbus::tools
