// Directories, ports and programs for servers that a benchmark starts for itself.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// A directory of its own below the temporary one; gone with all it holds when this goes.
class scratch_directory {
public:
    scratch_directory();
    ~scratch_directory();
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    // The path of a file in it.
    [[nodiscard]] std::string operator/(std::string_view name) const { return (path_ / name).string(); }
    // Writes a file in it that only its owner can read; its path.
    std::string write(std::string_view name, std::string_view text) const;

private:
    std::filesystem::path path_;
    pid_t owner_;  // forked participants do not remove it
};

// A TCP port of 127.0.0.1 that nobody listens on now.
[[nodiscard]] std::uint16_t free_port();

// Where a program is: in $PATH, the usual directories of servers, or in `unpacked_peers` (./dev bench
// unpacks packages of servers there instead of installing them). Throws not_available with the package's name.
[[nodiscard]] std::string find_program(const std::string& name, const std::string& package);
// Set once at the start.
void set_unpacked_peers(std::filesystem::path directory);

struct server_command {
    std::vector<std::string> words{};     // the program and its arguments
    std::string log{};                    // where its output goes
    std::function<void()> before_exec{};  // in the child
    int end = SIGTERM;                    // the signal that ends it
};

// A server: started here, ended here, by its id.
class server_process {
public:
    explicit server_process(const server_command& command);
    ~server_process();
    server_process(const server_process&) = delete;
    server_process& operator=(const server_process&) = delete;

    [[nodiscard]] pid_t id() const noexcept { return id_; }
    // Tries until `answers` says true; throws with the end of its log after 10 s or when it has ended.
    void await(const std::function<bool()>& answers) const;

private:
    pid_t id_ = -1;
    std::string log_;
    int end_;
};

// Whether somebody accepts connections there.
[[nodiscard]] bool accepts_tcp(std::uint16_t port);
[[nodiscard]] bool accepts_unix(const std::string& path);

}  // namespace bench
