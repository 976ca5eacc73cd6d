#include "local/socket_file.hpp"

#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

namespace mbusd {
namespace {

// Connections that wait to be accepted; the kernel caps it at net.core.somaxconn.
constexpr int backlog = 4096;

[[noreturn]] void fail(const std::string& path, std::string_view what, int fault) {
    throw std::runtime_error(fmt::format("{}: {}: {}", path, what, std::generic_category().message(fault)));
}

sockaddr_un address_of(const std::string& path, const std::string& setting) {
    sockaddr_un out{};
    out.sun_family = AF_UNIX;
    if (path.size() >= sizeof out.sun_path) {
        throw std::runtime_error(fmt::format("{}: the path has {} octets, a Unix socket takes {}; set {} to a shorter "
                                             "one", path, path.size(), sizeof out.sun_path - 1, setting));
    }
    std::memcpy(out.sun_path, path.c_str(), path.size() + 1);
    return out;
}

unique_fd new_socket() {
    unique_fd out{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!out) throw std::system_error(errno, std::generic_category(), "no Unix socket");
    return out;
}

// Two daemons that start at once must not take the file from each other.
unique_fd lock_folder(const std::filesystem::path& folder) {
    unique_fd out{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (out && ::flock(out.get(), LOCK_EX) != 0) out.reset();
    return out;
}

bool somebody_answers(const sockaddr_un& where) {
    const auto probe = new_socket();
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) return true;
    // A full backlog is a daemon that lives.
    return errno == EAGAIN || errno == EINPROGRESS;
}

void clear_the_way(const std::string& path, const sockaddr_un& where, const std::string& setting) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) {
        if (errno == ENOENT) return;
        fail(path, "can't look at the socket", errno);
    }
    if (!S_ISSOCK(found.st_mode)) {
        throw std::runtime_error(fmt::format("{}: a file that is no socket is in the way; move it, or set {}",
                                             path, setting));
    }
    if (somebody_answers(where)) {
        throw std::runtime_error(fmt::format("{}: another mbusd answers on this socket; stop it, or set {}",
                                             path, setting));
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail(path, "can't remove the socket of a dead daemon", errno);
}

void give_to_group(const std::string& path, const std::string& group) {
    errno = 0;
    const auto* found = ::getgrnam(group.c_str());
    if (found == nullptr) {
        throw std::runtime_error(fmt::format("socket.group: there is no group '{}'; run: sudo addgroup --system {}",
                                             group, group));
    }
    if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) {
        fail(path, fmt::format("can't give the socket to group '{}'", group), errno);
    }
}

}  // namespace

unique_fd listen_on(const socket_file_options& options) {
    const auto where = address_of(options.path, options.setting);
    const auto folder = std::filesystem::path{options.path}.parent_path();
    std::error_code fault;
    std::filesystem::create_directories(folder, fault);
    if (fault) fail(folder.string(), "can't make the folder of the socket", fault.value());

    const auto lock = lock_folder(folder);
    clear_the_way(options.path, where, options.setting);
    auto out = new_socket();
    // The mode is set while nobody can connect: before listen().
    if (::bind(out.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
        fail(options.path, "can't make the socket", errno);
    }
    if (!options.group.empty()) give_to_group(options.path, options.group);
    if (::chmod(options.path.c_str(), static_cast<mode_t>(options.mode)) != 0) {
        fail(options.path, "can't set the mode of the socket", errno);
    }
    if (::listen(out.get(), backlog) != 0) fail(options.path, "can't listen", errno);
    return out;
}

void remove_socket_file(const std::string& path, int listener) noexcept {
    if (path.empty()) return;
    // Another daemon may have taken the place meanwhile: then its socket answers, ours is closed.
    sockaddr_un bound{};
    socklen_t octets = sizeof bound;
    if (::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &octets) != 0) return;
    if (path == bound.sun_path) ::unlink(path.c_str());
}

}  // namespace mbusd
