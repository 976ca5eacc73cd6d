// Runs of datagrams (docs/decisions/0024): what is sent as one message is heard as it always was, by who
// asks the kernel for runs in one piece and by who does not, on the same host and on the next one.
#include <doctest/doctest.h>
#include <net/if.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "bus/datagram_sender.hpp"
#include "bus/endpoint_socket.hpp"
#include "bus/group_socket.hpp"
#include "bus/receive_batch.hpp"
#include "ends.hpp"
#include "network.hpp"

using namespace mbusd;
using namespace std::chrono_literals;
using mbus::protocol::scope;

namespace {

using texts = std::vector<std::string>;

// Two full runs, a short one, single ones and one that travels in fragments.
texts mixed_datagrams() {
    texts out;
    const auto add = [&](std::size_t count, std::size_t octets) {
        for (std::size_t i = 0; i < count; ++i) {
            out.push_back("demo.text " + std::to_string(out.size()) + ' ');
            out.back().resize(octets, 'x');
        }
    };
    add(130, 300);
    add(10, 1400);
    add(1, 20);
    add(1, 5000);
    add(1, 30);
    return out;
}

class hearing_daemon {
public:
    hearing_daemon(const bus_options& options, ip_family family, const std::string& interface_name)
        : socket_(options, family), interface_(::if_nametoindex(interface_name.c_str())) {
        REQUIRE(socket_.join(interface_) == 0);
    }
    texts hear() {
        texts out;
        bool more = true;
        while (more) {
            more = batch_.read(socket_.fd(), [&](const received& one) {
                CHECK(one.from.interface_index == interface_);
                CHECK_FALSE(one.truncated);
                out.emplace_back(one.datagram);
            });
        }
        return out;
    }

private:
    group_socket socket_;
    std::uint32_t interface_;
    receive_batch batch_;
};

texts hear(ends::bystander& from) {
    texts out;
    while (auto one = from.next()) out.push_back(std::move(one->text));
    return out;
}

struct failures {
    int refused = 0;
    int errors = 0;
};

failures send(const bus_options& options, const group_target& target, const texts& what) {
    failures seen;
    const endpoint_socket out{options, target.family};
    datagram_sender sender{options.port,
                           options.scope == scope::link_local,
                           {.needs_other = [](auto) { return false; },
                            .on_error = [&](const group_target*, int) { ++seen.errors; },
                            .on_oversized = [](const auto&, auto) {},
                            .on_runs_refused = [&](const group_target*, int) { ++seen.refused; }}};
    const bool v4 = target.family == ip_family::v4;
    sender.set_sockets(v4 ? out.fd() : -1, v4 ? -1 : out.fd());
    sender.set_targets({target});
    std::vector<mbus::protocol::outgoing> waiting;
    for (const auto& each : what) waiting.push_back({each, true, false, {}});
    CHECK(sender.send(waiting, {}) == what.size());
    CHECK(sender.counts().at(target.interface_index).datagrams == what.size());
    return seen;
}

group_target target_on(const std::string& name, const char* group, const char* source) {
    const auto to = ip_address::parse(group).value();
    return {.interface_index = ::if_nametoindex(name.c_str()),
            .name = name,
            .family = to.family,
            .destination = to,
            .source = ip_address::parse(source).value(),
            .payload_max = 1452,
            .presence_only = false};
}

std::string source_v6(const std::string& name) {
    const auto file = "/tmp/mbus-runs-" + std::to_string(::getpid());
    network::run("ip -6 -o address show dev " + name + " scope link | sed 's/.*inet6 //; s,/.*,,' > " + file);
    std::ifstream in{file};
    std::string address;
    in >> address;
    ::unlink(file.c_str());
    return address;
}

}  // namespace

TEST_CASE("host-local runs reach each program on the host, whether it hears runs or datagrams") {
    if (!network::fresh()) return;
    network::run("ip link set lo up; ip -6 route add local ff00::/8 dev lo table local");
    const bus_options options;
    const std::vector targets{target_on("lo", "239.255.255.247", "127.0.0.1"),
                              target_on("lo", "ff01::300", "::1")};
    for (const auto& target : targets) {
        hearing_daemon one{options, target.family, "lo"};
        hearing_daemon two{options, target.family, "lo"};
        ends::bystander old{to_string(target.destination), "lo"};
        const auto sent = mixed_datagrams();
        const auto seen = send(options, target, sent);
        CHECK(seen.refused == 0);
        CHECK(seen.errors == 0);
        CHECK(one.hear() == sent);
        CHECK(two.hear() == sent);
        CHECK(hear(old) == sent);
    }
}

TEST_CASE("link-local runs reach each program on both hosts, whether it hears runs or datagrams") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    const auto options = ends::link_local();
    const auto own = source_v6("eth0");
    const std::vector targets{target_on("eth0", "239.255.255.247", "10.9.0.1"),
                              target_on("eth0", "ff02::300", own.c_str())};
    for (const auto& target : targets) {
        ends::bystander old_here{to_string(target.destination), "eth0"};
        hearing_daemon here{options, target.family, "eth0"};
        network::enter(cable.second);
        ends::bystander old_there{to_string(target.destination), "eth0"};
        hearing_daemon there{options, target.family, "eth0"};
        network::enter(cable.first);
        const auto sent = mixed_datagrams();
        send(options, target, sent);
        // then: the other host hears a little later
        texts heard;
        for (int i = 0; i < 500 && heard.size() < sent.size(); ++i) {
            const auto some = there.hear();
            heard.insert(heard.end(), some.begin(), some.end());
            if (heard.size() < sent.size()) std::this_thread::sleep_for(10ms);
        }
        CHECK(heard == sent);
        CHECK(hear(old_there) == sent);
        CHECK(here.hear() == sent);
        CHECK(hear(old_here) == sent);
    }
}
