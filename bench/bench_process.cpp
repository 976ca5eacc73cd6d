#include "bench_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <mbus/connection.hpp>

#include "protocol/session_config.hpp"

namespace bench {
namespace {

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; }

// A number in /proc/PID/status.
std::uint64_t status_of(pid_t id, const std::string& name) {
    std::ifstream in{"/proc/" + std::to_string(id) + "/status"};
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1));
    throw std::runtime_error("no " + name + " of process " + std::to_string(id) + "; did it end?");
}

void write_private(const std::filesystem::path& path, const std::string& text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool good = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (file >= 0) ::close(file);
    if (!good) throw std::runtime_error("can't write " + path.string());
}

}  // namespace

double cpu_of(pid_t process) {
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0)
        throw std::runtime_error("no CPU time of process " + std::to_string(process) + "; did it end?");
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

std::uint64_t resident_octets_of(pid_t process) { return status_of(process, "VmRSS") * 1024; }

child_process::child_process(const std::function<int()>& work) {
    std::fflush(nullptr);
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("fork");
    if (id_ > 0) return;
    int status = 1;
    try {
        status = work();
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "bench: %s\n", fault.what());
    }
    std::_Exit(status);
}

child_process::~child_process() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
}

void child_process::wait() {
    int status = 0;
    rusage used{};
    if (::wait4(id_, &status, 0, &used) != id_) throw std::runtime_error("wait4");
    id_ = -1;
    cpu_ = seconds(used.ru_utime) + seconds(used.ru_stime);
    if (status != 0) throw std::runtime_error("a participant failed");
}

daemon::daemon(const std::string& program, const std::string& more) {
    std::string pattern = (std::filesystem::temp_directory_path() / "mbus-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory_ = pattern;
    using namespace mbus::protocol;
    write_private(directory_ / "mbus.conf", format_session_config(generate_session_config(key_profile::rfc, scope::host_local)));
    write_private(directory_ / "mbusd.toml", "[bus]\nkey_file = \"" + (directory_ / "mbus.conf").string() +
                                                 "\"\nscope = \"HOSTLOCAL\"\n[socket]\npath = \"" + socket() +
                                                 "\"\n[state]\ndirectory = \"" + directory_.string() +
                                                 "\"\n[limits]\nsessions_per_user = 16384\nentities_per_user = 16384\n"
                                                 "[log]\nlevel = \"warning\"\n" + more);
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("fork");
    if (id_ == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);  // a benchmark that is interrupted leaves nothing behind
        ::execl(program.c_str(), "mbusd", "--config", (directory_ / "mbusd.toml").c_str(), nullptr);
        std::perror(program.c_str());
        std::_Exit(127);
    }
    mbus::connect_options how;
    how.socket = socket();
    for (int tries = 0; tries < 100; ++tries) {
        if (mbus::connection::connect(how)) {
            // Past its first hello, it is idle.
            std::this_thread::sleep_for(std::chrono::seconds{2});
            return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    throw std::runtime_error("mbusd does not answer");
}

daemon::~daemon() {
    ::kill(id_, SIGTERM);
    ::waitpid(id_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

std::uint64_t daemon::wake_ups() const { return status_of(id_, "voluntary_ctxt_switches"); }

}  // namespace bench
