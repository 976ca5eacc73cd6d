// The listening Unix socket in the file system: its folder, a stale file of a daemon that was
// killed, owner and mode.
#pragma once

#include <string>

#include "runtime/unique_fd.hpp"

namespace mbusd {

struct socket_file_options {
    std::string path;
    unsigned mode = 0666;
    std::string group{};  // empty: left as it is
    std::string setting = "socket.path";  // named in what is thrown
};

// Makes the folder if it is missing (mode 0755), removes a socket that nobody answers on, and
// listens. Throws std::runtime_error with one sentence: another mbusd answers there, a file that is
// no socket is in the way, no permission.
unique_fd listen_on(const socket_file_options& options);

// Removes the file if it is still the one that `listener` is bound to.
void remove_socket_file(const std::string& path, int listener) noexcept;

}  // namespace mbusd
