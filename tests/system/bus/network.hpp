// Network namespaces for tests: each test gets a network of its own, made and left by the test
// process itself. Needs root, or unprivileged user namespaces.
#pragma once

#include <string>

#include "runtime/unique_fd.hpp"

namespace network {

// A new, empty network namespace for this thread: one loopback interface, down. False, with a
// printed reason, where that is not allowed; the test then returns.
[[nodiscard]] bool fresh();

// `sh -c command` in the namespace of this thread; the test fails if it does.
void run(const std::string& command);

// The namespace of this thread, to come back to.
[[nodiscard]] mbusd::unique_fd current();
void enter(const mbusd::unique_fd& where);

// Until the interface has an IPv6 address that can be used.
void wait_for_ipv6(const std::string& interface_name);

// Two namespaces joined by a cable: `eth0` in each, up, with 10.9.0.1/24 and 10.9.0.2/24 (unless
// `ipv4` is false) and link-local IPv6 addresses without duplicate detection. The thread is in the
// first one afterwards.
struct pair {
    mbusd::unique_fd first;
    mbusd::unique_fd second;
};
[[nodiscard]] bool fresh_pair(pair& into, bool ipv4 = true);

}  // namespace network
