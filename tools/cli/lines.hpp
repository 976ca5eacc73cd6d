// Lines of a file or of stdin, read as they come, so that the connection goes on meanwhile.
//
// Thread-safety: one thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include <mbus/result.hpp>

namespace mbus::tools {

// A message as JSON fits (mbus_json/message_json.hpp); a longer line is a mistake.
inline constexpr std::size_t line_octets_max = 1024 * 1024;

class line_reader {
public:
    // "-" is stdin. Errors: bad_argument with the file's name and the system's reason.
    static result<line_reader> open(const std::string& path);

    line_reader(line_reader&& other) noexcept;
    line_reader& operator=(line_reader&&) = delete;
    ~line_reader();

    [[nodiscard]] int fd() const noexcept { return fd_; }

    // Reads what is there; blocks when fd() is not readable.
    void read_some();

    // The next line without its end (LF or CR LF); nothing: read more, or ended().
    // Errors: too_large, once per line; reading goes on after it. internal: reading failed, and ended.
    std::optional<result<std::string>> next();

    [[nodiscard]] bool ended() const noexcept { return at_end_ && lines_.empty(); }

private:
    explicit line_reader(int fd) : fd_(fd) {}
    void take(std::string_view octets);

    int fd_ = -1;
    bool at_end_ = false;
    bool skipping_ = false;  // inside a line that is too long
    std::string name_ = "stdin";
    std::string partial_;
    std::deque<result<std::string>> lines_;
};

}  // namespace mbus::tools
