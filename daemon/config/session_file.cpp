#include "config/session_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mbusd {
namespace {

using mbus::errc;
using mbus::error;
using mbus::result;

// Wipes what it holds: the text of a session file contains the keys.
class wiped_text {
public:
    wiped_text() = default;
    explicit wiped_text(std::string text) noexcept : text_(std::move(text)) {}
    wiped_text(const wiped_text&) = delete;
    wiped_text& operator=(const wiped_text&) = delete;
    ~wiped_text() { explicit_bzero(text_.data(), text_.size()); }
    std::string& text() noexcept { return text_; }

private:
    std::string text_;
};

class descriptor {
public:
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] bool valid() const noexcept { return number_ >= 0; }
    // True when nothing that was written is lost.
    bool close() noexcept { return ::close(std::exchange(number_, -1)) == 0; }

private:
    int number_;
};

std::string reason(int number) { return std::strerror(number); }

// Something stands there, even a dangling link; the details are for load_session_file().
bool exists(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0 || errno == EACCES;
}

std::string from(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

error cannot_open(const std::string& path, int number) {
    switch (number) {
    case ENOENT:
        return {errc::not_found, path + " does not exist; make a session file with: mbus key new " + path};
    case ELOOP: return {errc::bad_config, path + " is a symbolic link; name the file itself"};
    case EACCES:
        return {errc::bad_config,
                path + " may not be read by this user; run as its owner, or: sudo chown $USER " + path};
    default: return {errc::bad_config, path + " cannot be opened: " + reason(number)};
    }
}

// RFC 3259, section 12.1: other users must not read or write it. Asked of the open file, so nobody can
// exchange it in between.
result<void> check(const std::string& path, int file) {
    struct stat found {};
    if (::fstat(file, &found) != 0) return {errc::bad_config, path + " cannot be examined: " + reason(errno)};
    if (!S_ISREG(found.st_mode))
        return {errc::bad_config, path + " is not a regular file; name a session file"};
    // Root may read every file anyway, and takes any owner's: `sudo mbus key export`.
    if (found.st_uid != ::geteuid() && found.st_uid != 0 && ::geteuid() != 0) {
        return {errc::bad_config, path + " belongs to another user (uid " + std::to_string(found.st_uid) +
                                      "), who could change the keys; run: sudo chown " +
                                      std::to_string(::geteuid()) + ' ' + path};
    }
    if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return {errc::bad_config, path + " is open to other users; run: chmod 600 " + path};
    }
    if (found.st_size > static_cast<off_t>(mbus::protocol::session_file_octets_max)) {
        return {errc::bad_config, path + " has " + std::to_string(found.st_size) + " octets, at most " +
                                      std::to_string(mbus::protocol::session_file_octets_max) +
                                      " are read; make a new one with: mbus key new"};
    }
    return {};
}

// Reads all of it, and stops one octet above the limit if it grows meanwhile.
result<void> read_all(const std::string& path, int file, std::string& text) {
    text.resize(mbus::protocol::session_file_octets_max + 1);
    std::size_t filled = 0;
    while (filled < text.size()) {
        const ssize_t count = ::read(file, text.data() + filled, text.size() - filled);
        if (count == 0) break;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return {errc::bad_config, path + " cannot be read: " + reason(errno)};
        filled += static_cast<std::size_t>(count);
    }
    text.resize(filled);
    return {};
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(file, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

// A new name lasts only once its directory is on disk.
bool sync_directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
    const descriptor folder{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return folder.valid() && ::fsync(folder.get()) == 0;
}

}  // namespace

session_file_search session_file_search::from_environment() {
    session_file_search search;
    search.mbus = from("MBUS");
    search.home = from("HOME");
    return search;
}

result<std::string> find_session_file(const session_file_search& search) {
    if (!search.explicit_path.empty()) {
        if (exists(search.explicit_path)) return search.explicit_path;
        return cannot_open(search.explicit_path, ENOENT);
    }
    if (!search.mbus.empty()) {
        if (exists(search.mbus)) return search.mbus;
        return {errc::not_found,
                "$MBUS names " + search.mbus +
                    ", which does not exist; unset MBUS, or make the file with: mbus key new " + search.mbus};
    }
    std::string tried;
    if (!search.home.empty()) {
        auto path = search.home + "/.mbus";
        if (exists(path)) return path;
        tried = path + " or ";
    }
    if (exists(search.system_path)) return search.system_path;
    return {errc::not_found,
            "no session file: there is no " + tried + search.system_path + "; make one with: mbus key new"};
}

result<mbus::protocol::session_config> load_session_file(
    const std::string& path, const mbus::protocol::session_config_options& options) {
    // O_NONBLOCK: opening a FIFO must not hang.
    const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)};
    if (!file.valid()) return cannot_open(path, errno);
    if (auto fit = check(path, file.get()); !fit) return std::move(fit).error();
    wiped_text content;
    if (auto read = read_all(path, file.get(), content.text()); !read) return std::move(read).error();
    auto config = mbus::protocol::parse_session_config(content.text(), options);
    if (!config) return {config.error().code, path + ": " + config.error().text};
    return config;
}

result<void> write_session_file(const std::string& path, const mbus::protocol::session_config& config) {
    descriptor file{
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)};
    if (!file.valid()) {
        if (errno == EEXIST) {
            return {errc::conflict,
                    path + " exists already and is kept; remove it first, or name another file"};
        }
        return {errc::internal, path + " cannot be created: " + reason(errno)};
    }
    wiped_text content{mbus::protocol::format_session_config(config)};
    // fchmod: the mode is 0600 whatever the umask says.
    const bool written = ::fchmod(file.get(), S_IRUSR | S_IWUSR) == 0 &&
                         write_all(file.get(), content.text()) && ::fsync(file.get()) == 0 && file.close() &&
                         sync_directory_of(path);
    if (!written) {
        const int number = errno;
        ::unlink(path.c_str());
        return {errc::internal, path + " cannot be written: " + reason(number)};
    }
    return {};
}

}  // namespace mbusd
