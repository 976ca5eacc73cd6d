// Networks for a measurement, in namespaces that the kernel removes with their last process: one host with its
// loopback, or two hosts with a pair of virtual Ethernet devices between them (MTU 1500).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "harness/crew.hpp"
#include "harness/subject.hpp"

namespace bench {

enum class span : std::uint8_t { loopback, veth };

class network {
public:
    // Throws not_available when namespaces or ip(8) are not to be had.
    explicit network(span which);
    ~network();
    network(const network&) = delete;
    network& operator=(const network&) = delete;

    // Moves this process to a host: 0 is the publisher's and the caller's, 1 the others'.
    void enter(std::size_t host) const;
    // The device that both have.
    [[nodiscard]] std::string interface() const { return which_ == span::loopback ? "lo" : "bench0"; }
    [[nodiscard]] span which() const noexcept { return which_; }

private:
    void run(std::size_t host, const std::string& command) const;

    span which_;
    crew holders_;
    int hosts_[2] = {-1, -1};
};

// A subject all of whose participants live on a network: those that send first on host 0, the others on host 1.
std::unique_ptr<subject> on_network(std::shared_ptr<network> where, std::unique_ptr<subject> what);
[[nodiscard]] std::size_t host_of(part role);

}  // namespace bench
