#include "cli/lines.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mbus::tools {

result<line_reader> line_reader::open(const std::string& path) {
    if (path == "-") return line_reader{STDIN_FILENO};
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return {errc::bad_argument, "can't read " + path + ": " + std::strerror(errno)};
    line_reader reader{fd};
    reader.name_ = path;
    // Found now, before anything is sent: a directory opens, and only reading it fails.
    struct stat found {};
    if (fstat(fd, &found) == 0 && S_ISDIR(found.st_mode)) return {errc::bad_argument, "can't read " + path + ": it is a directory"};
    return reader;
}

line_reader::line_reader(line_reader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), at_end_(other.at_end_), skipping_(other.skipping_),
      name_(std::move(other.name_)), partial_(std::move(other.partial_)), lines_(std::move(other.lines_)) {}

line_reader::~line_reader() {
    if (fd_ > STDERR_FILENO) close(fd_);
}

void line_reader::read_some() {
    if (at_end_) return;
    std::array<char, 65536> buffer;
    const auto got = read(fd_, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got > 0) {
        take({buffer.data(), static_cast<std::size_t>(got)});
        return;
    }
    const int fault = got < 0 ? errno : 0;
    at_end_ = true;
    if (!partial_.empty() && !skipping_) lines_.emplace_back(std::exchange(partial_, {}));
    if (fault != 0) lines_.push_back(error{errc::internal, "can't read " + name_ + ": " + std::strerror(fault)});
}

void line_reader::take(std::string_view octets) {
    while (!octets.empty()) {
        const auto end = octets.find('\n');
        const auto piece = octets.substr(0, end);
        if (!skipping_ && partial_.size() + piece.size() > line_octets_max) {
            skipping_ = true;
            partial_.clear();
            lines_.push_back(error{errc::too_large, "the line is longer than " + std::to_string(line_octets_max) + " octets"});
        }
        if (!skipping_) partial_ += piece;
        if (end == std::string_view::npos) return;
        octets.remove_prefix(end + 1);
        if (!std::exchange(skipping_, false)) {
            if (!partial_.empty() && partial_.back() == '\r') partial_.pop_back();
            lines_.emplace_back(std::exchange(partial_, {}));
        }
    }
}

std::optional<result<std::string>> line_reader::next() {
    if (lines_.empty()) return std::nullopt;
    auto line = std::move(lines_.front());
    lines_.pop_front();
    return line;
}

}  // namespace mbus::tools
