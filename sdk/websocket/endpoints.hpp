// The addresses of a host, in the order to try them.
//
// Thread-safety: plain value; look_up() from any thread.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include <mbus/result.hpp>

#include "url.hpp"

namespace mbus::detail {

struct endpoint {
    sockaddr_storage address{};
    socklen_t octets = 0;
};

// By getaddrinfo(), which may take as long as the system's resolver does; IP addresses and localhost
// are not looked up anywhere. Errors: no_daemon.
result<std::vector<endpoint>> look_up(const websocket_url& where);

}  // namespace mbus::detail
