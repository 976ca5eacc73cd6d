// Helpers of the bus sockets: options that throw with the option's name.
#pragma once

#include "bus/bus_options.hpp"
#include "bus/ip_address.hpp"
#include "runtime/unique_fd.hpp"

namespace mbusd {

[[noreturn]] void throw_errno(const std::string& what);

void set_option(int fd, int level, int name, int value, const char* text);

// A non-blocking UDP socket of the family; IPv6 ones carry IPv6 only.
[[nodiscard]] unique_fd open_udp(ip_family family);

// Asks the kernel for what the receive path reads: arrival interface, datagrams lost so far, runs in
// one piece, and a receive buffer of receive_buffer_octets, as far as it is granted.
void prepare_receiving(int fd, ip_family family);

}  // namespace mbusd
