// Processes of a benchmark: participants, a daemon with a key and a socket of its own, and what
// /proc says about them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace bench {

[[nodiscard]] double cpu_of(pid_t process);                     // seconds so far, of all its threads
[[nodiscard]] std::uint64_t resident_octets_of(pid_t process);  // VmRSS

// Runs `work` in a forked process. The destructor ends it.
class child_process {
public:
    explicit child_process(const std::function<int()>& work);
    ~child_process();
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;

    // Until it ends; throws when it failed.
    void wait();
    // CPU seconds of the ended process.
    [[nodiscard]] double cpu() const noexcept { return cpu_; }

private:
    pid_t id_ = -1;
    double cpu_ = 0;
};

// mbusd on this host alone, in a directory of its own.
class daemon {
public:
    // `more`: added to its mbusd.toml.
    explicit daemon(const std::string& program, const std::string& more = {});
    ~daemon();
    daemon(const daemon&) = delete;
    daemon& operator=(const daemon&) = delete;

    [[nodiscard]] std::string socket() const { return (directory_ / "mbusd.sock").string(); }
    [[nodiscard]] pid_t id() const noexcept { return id_; }
    [[nodiscard]] double cpu() const { return cpu_of(id_); }
    [[nodiscard]] std::uint64_t resident_octets() const { return resident_octets_of(id_); }
    [[nodiscard]] std::uint64_t wake_ups() const;  // voluntary context switches so far

private:
    std::filesystem::path directory_;
    pid_t id_ = -1;
};

}  // namespace bench
