// SIGINT and SIGTERM as something that a loop can poll. SIGPIPE is ignored: a closed pipe shows as
// a failed write.
//
// Thread-safety: one instance per process, used by one thread.
#pragma once

namespace mbus::tools {

class signals {
public:
    signals();
    ~signals();
    signals(const signals&) = delete;
    signals& operator=(const signals&) = delete;

    // Readable once a signal came.
    [[nodiscard]] int fd() const noexcept { return reading_; }
    // SIGINT, SIGTERM, or 0 for none so far.
    [[nodiscard]] int caught() const noexcept;

private:
    int reading_ = -1;
};

}  // namespace mbus::tools
