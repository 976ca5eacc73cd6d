// One epoll descriptor over the socket of the moment and, once a foreign loop asks for fd(), a timer;
// so a loop needs to know one descriptor only, and it stays the same over reconnects.
//
// Thread-safety: none.
#pragma once

#include <cstdint>

#include <mbus/operation.hpp>

#include "link.hpp"

namespace mbus::detail {

class poll_set {
public:
    poll_set() = default;
    poll_set(const poll_set&) = delete;
    poll_set& operator=(const poll_set&) = delete;
    ~poll_set();

    // False: errno says why there is no epoll descriptor.
    bool make() noexcept;
    // Watches a socket for input, and for room for output when asked. A closed socket leaves by itself.
    bool add(int socket, bool output) noexcept;
    bool change(int socket, bool output) noexcept;

    // Sleeps until something is ready, or until then.
    void wait(clock::time_point now, clock::time_point until);

    [[nodiscard]] int fd();
    // Makes fd() readable at this time; only matters once fd() was asked for.
    void wake_at(clock::time_point when);

private:
    bool control(int operation, int socket, bool output) noexcept;
    void arm(clock::time_point when) noexcept;

    int epoll_ = -1;
    int timer_ = -1;                    // made by the first fd()
    clock::time_point armed_ = never;   // what the timer is set to
    clock::time_point wanted_ = never;  // what wake_at() asked for
};

}  // namespace mbus::detail
