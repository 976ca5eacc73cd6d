// Listening TCP sockets by configured text.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "runtime/unique_fd.hpp"

namespace mbusd {

struct listening_socket {
    unique_fd fd;
    bool encrypted = false;
    std::string name;  // "127.0.0.1:8407", "unix:/run/mbusd/http.sock"
};

// "127.0.0.1:8407" or "[::1]:8407"; port 0 takes a free one, and `name` has the port taken. "[::]:8407" is
// IPv6 only. `setting` is named in what is thrown, a std::runtime_error with one sentence.
listening_socket listen_tcp(std::string_view where, bool encrypted, std::string_view setting);

}  // namespace mbusd
