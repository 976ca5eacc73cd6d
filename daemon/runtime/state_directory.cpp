#include "runtime/state_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace mbusd {
namespace {

constexpr std::size_t id_digits = 16;
constexpr mode_t directory_mode = 0700;
constexpr mode_t file_mode = 0600;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value == '/' ? value : std::string{};
}

std::string default_directory() {
    // systemd names several directories with ':' between them; the unit has one.
    if (const auto given = environment("STATE_DIRECTORY"); !given.empty()) return given.substr(0, given.find(':'));
    if (::geteuid() == 0) return "/var/lib/mbusd";
    if (const auto state = environment("XDG_STATE_HOME"); !state.empty()) return state + "/mbusd";
    const auto home = environment("HOME");
    return home.empty() ? std::string{} : home + "/.local/state/mbusd";
}

std::string reason(const std::string& what, int fault) { return what + ": " + std::generic_category().message(fault); }

}  // namespace

bool is_broker_id(std::string_view text) noexcept {
    return text.size() == id_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

state_directory::state_directory(std::string configured) : path_(std::move(configured)) {
    if (path_.empty()) {
        path_ = default_directory();
    } else {
        ::mkdir(path_.c_str(), directory_mode);  // what it could not do shows at the first file
    }
}

state_directory::kept_id state_directory::broker_id(std::string fresh) {
    if (path_.empty()) return {std::move(fresh), "there is no state directory; set state.directory"};
    if (::access(path_.c_str(), F_OK) != 0)
        return {std::move(fresh), "there is no " + path_ + "; make it for this user alone, or set state.directory"};
    const std::string name = path_ + "/broker-id";
    // Twice: another daemon may write the file between our look and our write.
    for (int attempt = 0; attempt < 2; ++attempt) {
        lock_ = unique_fd{::open(name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
        if (lock_) {
            std::string problem;
            auto id = read_id(lock_.get(), problem);
            if (!id.empty()) return {std::move(id), {}};
            if (!problem.empty()) return {std::move(fresh), name + " " + problem};
            // What stands there is no id: it is replaced, under the lock.
            if (::unlink(name.c_str()) != 0) return {std::move(fresh), reason("can't replace " + name, errno)};
        } else if (errno != ENOENT) {
            return {std::move(fresh), reason("can't open " + name, errno)};
        }
        auto failure = write_id(fresh);
        if (failure.empty()) return {std::move(fresh), {}};
        if (attempt > 0 || errno != EEXIST) return {std::move(fresh), std::move(failure)};
    }
    return {std::move(fresh), "can't keep " + name};
}

// Empty without `problem`: no id stands in the file.
std::string state_directory::read_id(int file, std::string& problem) {
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
        problem = "is in use by another mbusd; give each daemon a state.directory of its own";
        return {};
    }
    std::array<char, id_digits + 2> text{};  // one more than the id and its line end
    const auto got = ::read(file, text.data(), text.size());
    std::string_view line{text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
    if (line.ends_with('\n')) line.remove_suffix(1);
    return is_broker_id(line) ? std::string{line} : std::string{};
}

// Under another name first, so that no half-written file ever stands there. Empty when it is done;
// errno says EEXIST when another daemon was faster.
std::string state_directory::write_id(const std::string& id) {
    const std::string name = path_ + "/broker-id";
    const std::string draft = name + '.' + id;
    unique_fd file{::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, file_mode)};
    if (!file) return reason("can't write " + draft, errno);
    const std::string line = id + '\n';
    const bool written = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 &&
                         ::write(file.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                         ::fsync(file.get()) == 0 && ::link(draft.c_str(), name.c_str()) == 0;
    const int fault = errno;
    ::unlink(draft.c_str());
    if (written) {
        lock_ = std::move(file);
        return {};
    }
    auto text = reason("can't write " + name, fault);
    errno = fault;
    return text;
}

}  // namespace mbusd
