// Our own unique endpoint of one family (RFC 3259, section 6.2): an ephemeral port from which
// everything is sent, to the group and to single peers, and where directed unicast arrives.
//
// HOSTLOCAL: bound to the loopback address, so nothing from outside reaches it; TTL 0 for the group.
#pragma once

#include <cstdint>

#include "bus/bus_options.hpp"
#include "bus/ip_address.hpp"
#include "runtime/unique_fd.hpp"

namespace mbusd {

class endpoint_socket {
public:
    // Throws std::system_error.
    endpoint_socket(const bus_options& options, ip_family family);

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    void close() noexcept { fd_.reset(); }

private:
    unique_fd fd_;
    std::uint16_t port_ = 0;
};

}  // namespace mbusd
