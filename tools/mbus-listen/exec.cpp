#include "mbus-listen/exec.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mbus_json/message_json.hpp>

#include "mbus-listen/format.hpp"

extern char** environ;

namespace mbus::tools {
namespace {

error system_error(const char* what) { return {errc::internal, std::string{what} + " failed: " + std::strerror(errno)}; }

// "NAME=value" of this process, with the message's own on top.
std::vector<std::string> environment_of(const received_message& message) {
    std::vector<std::string> out;
    for (char** one = environ; *one != nullptr; ++one) {
        if (std::strncmp(*one, "MBUS_", 5) != 0 || std::strncmp(*one, "MBUS_SOCKET=", 12) == 0) out.emplace_back(*one);
    }
    for (const auto& [name, held] : exec_environment(message)) out.push_back(name + "=" + held);
    return out;
}

// The child: stdin from the pipe, default signals, the shell.
[[noreturn]] void become_shell(int reading, const char* shell_command, char* const* environment) {
    dup2(reading, STDIN_FILENO);
    std::signal(SIGPIPE, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    const char* const words[] = {"sh", "-c", shell_command, nullptr};
    execve("/bin/sh", const_cast<char* const*>(words), environment);
    _exit(127);
}

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // the command does not read its stdin: its own business
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> exec_environment(const received_message& message) {
    std::vector<std::pair<std::string, std::string>> out{
        {"MBUS_SOURCE", std::string{message.from.text()}},
        {"MBUS_DESTINATION", std::string{message.to.text()}},
        {"MBUS_ENTITY", std::string{message.entity.text()}},
        {"MBUS_TYPE", message.reliable ? "R" : "U"},
        {"MBUS_TIME", json::format_timestamp(milliseconds(message.time))},
    };
    if (!message.commands().empty()) {
        out.emplace_back("MBUS_COMMAND", message.commands().front().name);
        out.emplace_back("MBUS_ARGUMENTS", arguments_text(message.commands().front()));
    }
    return out;
}

result<int> run_for_message(const std::string& shell_command, const received_message& message, const signals& events) {
    // Everything that allocates is done before fork().
    const auto line = message_json(message) + "\n";
    const auto variables = environment_of(message);
    std::vector<char*> environment;
    for (const auto& one : variables) environment.push_back(const_cast<char*>(one.c_str()));
    environment.push_back(nullptr);
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) return system_error("pipe");
    const pid_t child = fork();
    if (child == 0) become_shell(ends[0], shell_command.c_str(), environment.data());
    close(ends[0]);
    if (child < 0) {
        const auto failure = system_error("fork");
        close(ends[1]);
        return failure;
    }
    write_all(ends[1], line);
    close(ends[1]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return system_error("waitpid");
        if (events.caught() != 0) kill(child, events.caught());
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace mbus::tools
