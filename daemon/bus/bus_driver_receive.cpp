// From the sockets to the engine: what arrived, and what came back to us.
#include <algorithm>
#include <functional>
#include <string>

#include "bus/bus_driver_parts.hpp"

namespace mbusd {
namespace {

using mbus::protocol::drop_reason;
using mbus::protocol::instant;

// Of one socket per turn: after that many datagrams (and the rest of the batch) the others have their say.
constexpr std::size_t datagrams_per_turn = 256;

}  // namespace

// The kernel has put what went to the group into our own group socket as well. Read now, it does not
// wake the loop for another turn. True: something was there.
bool bus_driver::implementation::hear_own(const instant& at) {
    taken sum;
    for (const auto family : {ip_family::v4, ip_family::v6}) {
        auto* sockets = links.sockets(family);
        if (sender.take_group_sent(family) && sockets != nullptr && started)
            read_batch(at, *sockets, family_sockets::which::group, sum);
    }
    return sum.datagrams > 0;
}

void bus_driver::implementation::readable(family_sockets& sockets, family_sockets::which socket) {
    turn_end::at_once now{*end};
    const auto at = open_turn();
    taken sum;
    bool more = true;
    while (more && sum.datagrams < datagrams_per_turn) more = read_batch(at, sockets, socket, sum);
    now.finish(sum.octets < small_read_octets);
}

// True: more may wait.
bool bus_driver::implementation::read_batch(const instant& at, family_sockets& sockets,
                                            family_sockets::which socket, taken& sum) {
    const bool group = socket == family_sockets::which::group;
    const auto visit = [&](const received& one) {
        ++sum.datagrams;
        sum.octets += one.datagram.size();
        if (one.kernel_drops) count_kernel_drops(sockets, socket, *one.kernel_drops);
        take(at, one, group);
    };
    // By reference: a function that held all of it would allocate.
    return batch.read(group ? sockets.group().fd() : sockets.endpoint().fd(), std::cref(visit));
}

// Sent by us, from the address and port that nobody else on this host has. The first one, authentic
// by its MAC, has shown that they come back; the others need no look.
bool bus_driver::implementation::is_own(const received& one) const {
    return loopback_heard && std::ranges::find(own_endpoints, one.from) != own_endpoints.end();
}

void bus_driver::implementation::take(const instant& at, const received& one, bool from_group) {
    if (one.truncated) return engine.count_drop(drop_reason::truncated);
    if (from_group && is_own(one)) return engine.count_drop(drop_reason::own_echo);
    if (!links.accepts_source(one.from)) return engine.count_drop(drop_reason::not_local_host);
    const auto& counts = engine.counters();
    // Copies of authentic datagrams are dropped as duplicates, in the modern profile as replayed.
    const auto authentic_so_far = [&] {
        return counts.messages_in + counts.drops(drop_reason::duplicate) +
               counts.drops(drop_reason::replayed);
    };
    const auto echoes = counts.drops(drop_reason::own_echo);
    const auto authentic = authentic_so_far();
    engine.receive(at, one.datagram, one.from);
    if (!from_group) return;
    if (counts.drops(drop_reason::own_echo) != echoes)
        loopback_heard = true;
    else if (follows_families() && authentic_so_far() != authentic)
        families.heard(one.datagram, one.from);
}

void bus_driver::implementation::count_kernel_drops(family_sockets& sockets, family_sockets::which socket,
                                                    std::uint32_t total) {
    auto& known = sockets.kernel_drops[socket];
    const std::uint32_t lost = total - known;  // the kernel's counter wraps
    if (lost == 0) return;
    known = total;
    kernel_drops += lost;
    log.limited(
        level::warning, "kernel-drops",
        "the kernel dropped datagrams because the receive buffer was full; raise it: sysctl net.core.rmem_max=16777216",
        {{"datagrams", std::to_string(lost)}});
}

}  // namespace mbusd
