#include "harness/meter.hpp"

#include <linux/perf_event.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <stdexcept>

namespace bench {
namespace {

std::uint64_t status_value(const std::filesystem::path& file, const std::string& name) {
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1));
    throw std::runtime_error("no " + name + " in " + file.string() + "; did the process end?");
}

std::vector<std::filesystem::path> tasks(pid_t process) {
    std::vector<std::filesystem::path> out;
    std::error_code gone;
    for (const auto& each :
         std::filesystem::directory_iterator{"/proc/" + std::to_string(process) + "/task", gone})
        out.push_back(each.path());
    return out;
}

// --- the tracepoint -------------------------------------------------------------------------------

constexpr auto tracepoint = "events/raw_syscalls/sys_enter/id";

int read_id(const std::string& directory) {
    std::ifstream in{directory + "/" + tracepoint};
    int id = 0;
    return in >> id ? id : 0;
}

// Where tracefs is not mounted, a child mounts it in a namespace that ends with it.
int read_id_in_own_namespace() {
    std::string directory = (std::filesystem::temp_directory_path() / "mbus-bench-trace-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) return 0;
    std::array<int, 2> ends{};
    int id = 0;
    if (::pipe(ends.data()) == 0) {
        const pid_t child = ::fork();
        if (child == 0) {
            int found = 0;
            if (::unshare(CLONE_NEWNS) == 0 &&
                ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                ::mount("tracefs", directory.c_str(), "tracefs", 0, nullptr) == 0)
                found = read_id(directory);
            std::_Exit(::write(ends[1], &found, sizeof found) == static_cast<ssize_t>(sizeof found) ? 0 : 1);
        }
        ::close(ends[1]);
        if (::read(ends[0], &id, sizeof id) != static_cast<ssize_t>(sizeof id)) id = 0;
        ::close(ends[0]);
        if (child > 0) ::waitpid(child, nullptr, 0);
    }
    ::rmdir(directory.c_str());
    return id;
}

int tracepoint_id() {
    for (const auto* directory : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"})
        if (const int id = read_id(directory); id > 0) return id;
    return read_id_in_own_namespace();
}

// The kernel's filter of the tracepoint; empty: all.
std::string filter_of(calls which) {
    const auto any_of = [](std::initializer_list<long> numbers) {
        std::string out;
        for (const long each : numbers) out += (out.empty() ? "id == " : " || id == ") + std::to_string(each);
        return out;
    };
    switch (which) {
    case calls::looks:
        return any_of({
            SYS_epoll_pwait,
            SYS_epoll_pwait2,
#ifdef SYS_epoll_wait
            SYS_epoll_wait,
#endif
        });
    case calls::reads: return any_of({SYS_read, SYS_readv, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg});
    case calls::writes: return any_of({SYS_write, SYS_writev, SYS_sendto, SYS_sendmsg, SYS_sendmmsg});
    case calls::all: break;
    }
    return {};
}

int open_counter(int id, pid_t thread, calls which = calls::all) {
    perf_event_attr what{};
    what.type = PERF_TYPE_TRACEPOINT;
    what.size = sizeof what;
    what.config = static_cast<__u64>(id);
    const int counter =
        static_cast<int>(::syscall(SYS_perf_event_open, &what, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
    const auto filter = filter_of(which);
    if (counter < 0 || filter.empty() || ::ioctl(counter, PERF_EVENT_IOC_SET_FILTER, filter.c_str()) == 0)
        return counter;
    ::close(counter);
    return -1;
}

struct access {
    int id = 0;
    std::string why;
};

const access& tracing() {
    static const access found = [] {
        access out{.id = tracepoint_id(), .why = {}};
        if (out.id == 0) {
            out.why = "the tracepoint raw_syscalls:sys_enter can't be found (root and tracefs are needed)";
            return out;
        }
        const int probe = open_counter(out.id, 0);
        if (probe < 0) {
            out.why = std::string{"perf_event_open: "} + std::strerror(errno);
            out.id = 0;
        } else {
            ::close(probe);
        }
        return out;
    }();
    return found;
}

}  // namespace

std::uint64_t cpu_nanoseconds(pid_t process) {
    clockid_t clock{};
    timespec spent{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &spent) != 0)
        throw std::runtime_error("process " + std::to_string(process) + " ended early");
    return static_cast<std::uint64_t>(spent.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(spent.tv_nsec);
}

std::uint64_t cpu_nanoseconds(std::span<const pid_t> processes) {
    std::uint64_t sum = 0;
    for (const auto each : processes) sum += cpu_nanoseconds(each);
    return sum;
}

std::uint64_t resident_octets(pid_t process) {
    return status_value("/proc/" + std::to_string(process) + "/status", "VmRSS") * 1024;
}

std::uint64_t wake_ups(pid_t process) {
    std::uint64_t sum = 0;
    for (const auto& task : tasks(process)) sum += status_value(task / "status", "voluntary_ctxt_switches");
    return sum;
}

syscall_meter::syscall_meter(std::span<const pid_t> processes, calls which) {
    if (!available()) return;
    for (const auto process : processes)
        for (const auto& task : tasks(process))
            if (const int counter = open_counter(tracing().id, std::stoi(task.filename().string()), which);
                counter >= 0)
                counters_.push_back(counter);
            else
                complete_ = false;
}

syscall_meter::~syscall_meter() {
    for (const int each : counters_) ::close(each);
}

std::uint64_t syscall_meter::count() const {
    std::uint64_t sum = 0;
    for (const int each : counters_) {
        std::uint64_t value = 0;
        if (::read(each, &value, sizeof value) == static_cast<ssize_t>(sizeof value)) sum += value;
    }
    return sum;
}

bool syscall_meter::available() { return tracing().id > 0; }
const std::string& syscall_meter::why() { return tracing().why; }

}  // namespace bench
