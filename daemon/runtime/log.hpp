// The daemon's log: one sentence and its fields per line.
//
//     logger log{level::info};
//     log.info("interface joined", {{"interface", "eth0"}, {"family", "IPv4"}});
//     log.limited(level::warning, "send-failed/eth0", "could not send", {{"error", text}});
//
// To the journal as fields when stderr is a journal stream (JOURNAL_STREAM), else to stderr as
// "mbusd: warning: could not send interface=eth0 error=\"No route\"". Keys, tokens and passwords
// never go in. Not thread-safe: the main thread writes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mbusd {

enum class level : std::uint8_t { error, warning, notice, info, debug };

[[nodiscard]] std::string_view to_string(level which) noexcept;  // "warning"
// False when `text` names no level.
[[nodiscard]] bool parse_level(std::string_view text, level& into) noexcept;

// One detail of a line. `key`: lower-case letters, digits and '_'.
struct log_field {
    std::string_view key;
    std::string value;
};

using log_fields = std::initializer_list<log_field>;

// Where lines go. A function, so that tests can look at them.
using log_sink = std::function<void(level, std::string_view message, const std::vector<log_field>& fields)>;

// The journal if stderr leads there, else stderr.
[[nodiscard]] log_sink default_log_sink();

// "message key=value key=\"two words\"": the text form, without prefix and line end.
[[nodiscard]] std::string format_log_line(std::string_view message, const std::vector<log_field>& fields);

class logger {
public:
    explicit logger(level threshold = level::info, log_sink sink = default_log_sink());

    void set_level(level threshold) noexcept { threshold_ = threshold; }
    [[nodiscard]] level threshold() const noexcept { return threshold_; }
    [[nodiscard]] bool enabled(level which) const noexcept { return which <= threshold_; }

    void write(level which, std::string_view message, log_fields fields = {});
    void error(std::string_view message, log_fields fields = {}) { write(level::error, message, fields); }
    void warning(std::string_view message, log_fields fields = {}) { write(level::warning, message, fields); }
    void notice(std::string_view message, log_fields fields = {}) { write(level::notice, message, fields); }
    void info(std::string_view message, log_fields fields = {}) { write(level::info, message, fields); }
    void debug(std::string_view message, log_fields fields = {}) { write(level::debug, message, fields); }

    // At most one line per `key` and interval; the next one says how many were left out
    // (field `suppressed`).
    void limited(level which, std::string_view key, std::string_view message, log_fields fields = {});

    // For tests of the limiter.
    void set_clock(std::function<std::chrono::steady_clock::time_point()> clock) {
        clock_ = std::move(clock);
    }

private:
    struct gate {
        std::chrono::steady_clock::time_point opens;
        std::uint64_t suppressed = 0;
    };

    level threshold_;
    log_sink sink_;
    std::function<std::chrono::steady_clock::time_point()> clock_;
    std::map<std::string, gate, std::less<>> gates_;
};

}  // namespace mbusd
