// A connection between a program and its daemon, inside the process.
// Thread-safety: none.
#pragma once

#include <string>

namespace mbus::testing::detail {

struct pipe {
    std::string to_daemon;
    std::string to_client;
    bool client_closed = false;
    bool daemon_closed = false;
};

}  // namespace mbus::testing::detail
