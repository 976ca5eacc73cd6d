#include "harness/crew.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

namespace bench {

pid_t crew::hire(const std::string& name, const std::function<void()>& work) {
    std::fflush(nullptr);
    const pid_t id = ::fork();
    if (id < 0) throw std::runtime_error("fork");
    if (id == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        // Naps of microseconds are as short as they say.
        ::prctl(PR_SET_TIMERSLACK, 1UL);
        int status = 1;
        try {
            work();
            status = 0;
        } catch (const std::exception& fault) {
            std::fprintf(stderr, "bench: %s: %s\n", name.c_str(), fault.what());
        }
        std::_Exit(status);
    }
    members_.push_back(id);
    return id;
}

void crew::check() const {
    for (const auto each : members_) {
        siginfo_t ended{};
        if (::waitid(P_PID, static_cast<id_t>(each), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            ended.si_pid != 0)
            throw std::runtime_error("a participant ended early");
    }
}

void crew::await(const std::function<bool()>& done, const char* what, std::chrono::milliseconds limit) const {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!done()) {
        check();
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error(std::string{what} + " did not happen in time");
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

void crew::dismiss() noexcept {
    for (const auto each : members_) ::kill(each, SIGKILL);
    for (const auto each : members_) ::waitpid(each, nullptr, 0);
    members_.clear();
}

}  // namespace bench
