#include "network.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>

namespace network {
namespace {

// Rights to make network namespaces: those of root, else those in a user namespace of our own.
bool become_able() {
    static const bool able = [] {
        if (::unshare(CLONE_NEWNET) == 0) return true;
        const auto user = ::getuid();
        const auto group = ::getgid();
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
        std::ofstream{"/proc/self/setgroups"} << "deny";
        std::ofstream{"/proc/self/uid_map"} << "0 " << user << " 1";
        std::ofstream{"/proc/self/gid_map"} << "0 " << group << " 1";
        return true;
    }();
    return able;
}

}  // namespace

bool fresh() {
    if (become_able() && ::unshare(CLONE_NEWNET) == 0) return true;
    std::cout << "skipped: no right to make network namespaces (" << std::strerror(errno)
              << "); run as root\n";
    return false;
}

void run(const std::string& command) {
    INFO(command);
    REQUIRE(std::system(command.c_str()) == 0);
}

mbusd::unique_fd current() {
    return mbusd::unique_fd{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
}

void enter(const mbusd::unique_fd& where) { REQUIRE(::setns(where.get(), CLONE_NEWNET) == 0); }

void wait_for_ipv6(const std::string& interface_name) {
    run("for try in $(seq 500); do ip -6 address show dev " + interface_name +
        " scope link -tentative | grep -q fe80 && exit 0; sleep 0.01; done; exit 1");
}

bool fresh_pair(pair& into, bool ipv4) {
    if (!fresh()) return false;
    into.second = current();
    run("ip link set lo up");
    if (!fresh()) return false;
    into.first = current();
    run("ip link set lo up");
    const std::string other =
        "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(into.second.get());
    run("ip link add eth0 type veth peer name eth0 netns " + other);
    const auto set_up = [&](const char* address) {
        run("echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad");
        if (ipv4) run(std::string{"ip address add "} + address + "/24 brd + dev eth0");
        run("ip link set eth0 up");
    };
    set_up("10.9.0.1");
    enter(into.second);
    set_up("10.9.0.2");
    wait_for_ipv6("eth0");
    enter(into.first);
    wait_for_ipv6("eth0");
    return true;
}

}  // namespace network
