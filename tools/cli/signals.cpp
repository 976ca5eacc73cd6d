#include "cli/signals.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace mbus::tools {
namespace {

volatile std::sig_atomic_t caught_signal = 0;
int writing_end = -1;

extern "C" void note_signal(int number) {
    const int before = errno;
    // The second Ctrl-C ends the tool at once, should it hang.
    if (caught_signal != 0) _exit(128 + number);
    caught_signal = number;
    const char octet = 1;
    static_cast<void>(!write(writing_end, &octet, 1));
    errno = before;
}

void handle(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
}

}  // namespace

signals::signals() {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
    reading_ = ends[0];
    writing_end = ends[1];
    caught_signal = 0;
    handle(SIGINT, note_signal);
    handle(SIGTERM, note_signal);
    handle(SIGPIPE, SIG_IGN);
}

signals::~signals() {
    handle(SIGINT, SIG_DFL);
    handle(SIGTERM, SIG_DFL);
    close(reading_);
    close(writing_end);
    writing_end = -1;
}

int signals::caught() const noexcept { return caught_signal; }

}  // namespace mbus::tools
