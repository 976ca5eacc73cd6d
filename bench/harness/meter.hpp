// What the kernel says about other processes: CPU, memory, wake-ups, system calls.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bench {

// CPU time of all threads of a process, also of those that have ended, in nanoseconds.
[[nodiscard]] std::uint64_t cpu_nanoseconds(pid_t process);
[[nodiscard]] std::uint64_t cpu_nanoseconds(std::span<const pid_t> processes);

[[nodiscard]] std::uint64_t resident_octets(pid_t process);  // VmRSS
[[nodiscard]] std::uint64_t wake_ups(pid_t process);         // voluntary context switches of its threads

// Which system calls: all, those that wait (epoll_wait), read or write.
enum class calls : std::uint8_t { all, looks, reads, writes };

// System calls of the threads that the processes have now, by the kernel's own tracepoint
// (raw_syscalls:sys_enter), which costs them little. available() is false where the kernel or
// the rights do not allow it; why() says which.
class syscall_meter {
public:
    explicit syscall_meter(std::span<const pid_t> processes, calls which = calls::all);
    ~syscall_meter();
    syscall_meter(const syscall_meter&) = delete;
    syscall_meter& operator=(const syscall_meter&) = delete;

    [[nodiscard]] std::uint64_t count() const;
    // No thread was left out.
    [[nodiscard]] bool complete() const noexcept { return complete_; }

    static bool available();
    static const std::string& why();

private:
    std::vector<int> counters_;
    bool complete_ = true;
};

}  // namespace bench
