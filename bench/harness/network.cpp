#include "harness/network.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "harness/scratch.hpp"

namespace bench {
namespace {

constexpr auto group_route = "ip route add 224.0.0.0/4 dev ";

// A process that does nothing but hold a namespace of its own.
pid_t hold_namespace(crew& people) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0) throw std::runtime_error("pipe");
    const pid_t id = people.hire("a network namespace", [&] {
        const char good = ::unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
        (void)!::write(ready[1], &good, 1);
        while (true) ::pause();
    });
    char good = 'n';
    (void)!::read(ready[0], &good, 1);
    for (const int each : ready) ::close(each);
    if (good != 'y') throw not_available("network namespaces need root (CAP_SYS_ADMIN)");
    return id;
}

class elsewhere final : public subject {
public:
    elsewhere(std::shared_ptr<network> where, std::unique_ptr<subject> what)
        : where_(std::move(where)), what_(std::move(what)) {}
    std::unique_ptr<participant> join(const seat& at) override {
        where_->enter(host_of(at.role));
        return what_->join(at);
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return what_->servers(); }
    [[nodiscard]] std::optional<std::uint64_t> allocations() const override { return what_->allocations(); }
    [[nodiscard]] std::size_t in_flight() const override { return what_->in_flight(); }

private:
    std::shared_ptr<network> where_;
    std::unique_ptr<subject> what_;
};

}  // namespace

network::network(span which) : which_(which) {
    (void)find_program("ip", "iproute2");
    const std::size_t count = which == span::loopback ? 1 : 2;
    std::array<pid_t, 2> holders{};
    for (std::size_t host = 0; host < count; ++host) {
        holders.at(host) = hold_namespace(holders_);
        hosts_[host] =
            ::open(("/proc/" + std::to_string(holders.at(host)) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
        run(host, "ip link set lo up multicast on");
    }
    if (which == span::loopback) {
        run(0, std::string{group_route} + "lo");
        return;
    }
    run(0, "ip link add bench0 type veth peer name bench0 netns " + std::to_string(holders[1]));
    for (std::size_t host = 0; host < 2; ++host) {
        run(host, "ip address add 10.77.0." + std::to_string(host + 1) + "/24 dev bench0");
        run(host, "ip link set bench0 up");
        run(host, std::string{group_route} + "bench0");
    }
}

network::~network() {
    for (const int each : hosts_)
        if (each >= 0) ::close(each);
}

void network::enter(std::size_t host) const {
    const int place = which_ == span::loopback ? hosts_[0] : hosts_[host];
    if (::setns(place, CLONE_NEWNET) != 0) throw not_available("entering a network namespace needs root");
}

void network::run(std::size_t host, const std::string& command) const {
    const int before = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    enter(host);
    const int status = std::system((command + " >/dev/null 2>&1").c_str());
    const bool back = ::setns(before, CLONE_NEWNET) == 0;
    ::close(before);
    if (status != 0 || !back) throw not_available("'" + command + "' failed in a network namespace");
}

std::unique_ptr<subject> on_network(std::shared_ptr<network> where, std::unique_ptr<subject> what) {
    return std::make_unique<elsewhere>(std::move(where), std::move(what));
}

std::size_t host_of(part role) { return role == part::publisher || role == part::caller ? 0 : 1; }

}  // namespace bench
