#include "harness/scratch.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "harness/subject.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr auto server_patience = 10s;  // to answer, and to end after SIGTERM before it is killed

std::filesystem::path& unpacked_peers() {
    static std::filesystem::path directory;
    return directory;
}

bool is_program(const std::filesystem::path& file) { return ::access(file.c_str(), X_OK) == 0; }

std::string end_of(const std::string& file) {
    std::ifstream in{file};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    constexpr std::size_t shown = 2000;
    return text.size() > shown ? text.substr(text.size() - shown) : text;
}

bool connects(int family, const sockaddr* name, socklen_t octets) {
    const int probe = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool good = probe >= 0 && ::connect(probe, name, octets) == 0;
    if (probe >= 0) ::close(probe);
    return good;
}

}  // namespace

// --- directories and ports --------------------------------------------------------------------------

scratch_directory::scratch_directory() : owner_(::getpid()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "mbus-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("can't make " + pattern);
    path_ = pattern;
}

scratch_directory::~scratch_directory() {
    if (owner_ != ::getpid()) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string scratch_directory::write(std::string_view name, std::string_view text) const {
    const auto file = *this / name;
    const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool good = out >= 0 && ::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (out >= 0) ::close(out);
    if (!good) throw std::runtime_error("can't write " + file);
    return file;
}

std::uint16_t free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t octets = sizeof name;
    const bool good = probe >= 0 && ::bind(probe, reinterpret_cast<const sockaddr*>(&name), octets) == 0 &&
                      ::getsockname(probe, reinterpret_cast<sockaddr*>(&name), &octets) == 0;
    if (probe >= 0) ::close(probe);
    if (!good) throw std::runtime_error("no free port");
    return ntohs(name.sin_port);
}

bool accepts_tcp(std::uint16_t port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connects(AF_INET, reinterpret_cast<const sockaddr*>(&name), sizeof name);
}

bool accepts_unix(const std::string& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (path.size() >= sizeof name.sun_path) throw std::runtime_error(path + " is too long for a socket");
    std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
    return connects(AF_UNIX, reinterpret_cast<const sockaddr*>(&name), sizeof name);
}

// --- programs ---------------------------------------------------------------------------------------

void set_unpacked_peers(std::filesystem::path directory) { unpacked_peers() = std::move(directory); }

std::string find_program(const std::string& name, const std::string& package) {
    std::string list = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "";
    list += ":/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";
    std::size_t at = 0;
    while (at <= list.size()) {
        const auto end = std::min(list.find(':', at), list.size());
        const auto directory = list.substr(at, end - at);
        if (!directory.empty() && is_program(std::filesystem::path{directory} / name))
            return directory + "/" + name;
        at = end + 1;
    }
    for (const auto* directory : {"usr/sbin", "usr/bin"})
        if (const auto file = unpacked_peers() / directory / name;
            !unpacked_peers().empty() && is_program(file))
            return file;
    throw not_available(name + " is not installed (Debian package " + package + ")");
}

server_process::server_process(const server_command& command) : log_(command.log), end_(command.end) {
    std::vector<char*> words;
    for (const auto& each : command.words) words.push_back(const_cast<char*>(each.c_str()));
    words.push_back(nullptr);
    std::fflush(nullptr);
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("fork");
    if (id_ > 0) return;
    // Whatever happens to the benchmark, its servers end.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::signal(SIGPIPE, SIG_DFL);
    const int out = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int in = ::open("/dev/null", O_RDONLY);
    if (in < 0 || out < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) std::_Exit(126);
    if (command.before_exec) command.before_exec();
    ::execv(words.front(), words.data());
    std::perror(words.front());
    std::_Exit(127);
}

server_process::~server_process() {
    ::kill(id_, end_);
    const auto deadline = clock_type::now() + server_patience;
    while (::waitpid(id_, nullptr, WNOHANG) == 0) {
        if (clock_type::now() > deadline) ::kill(id_, SIGKILL);
        std::this_thread::sleep_for(2ms);
    }
}

void server_process::await(const std::function<bool()>& answers) const {
    const auto deadline = clock_type::now() + server_patience;
    while (!answers()) {
        siginfo_t ended{};
        const bool gone = ::waitid(P_PID, static_cast<id_t>(id_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                          ended.si_pid != 0;
        if (gone || clock_type::now() > deadline)
            throw std::runtime_error("a server does not answer; its log ends with:\n" + end_of(log_));
        std::this_thread::sleep_for(5ms);
    }
}

}  // namespace bench
