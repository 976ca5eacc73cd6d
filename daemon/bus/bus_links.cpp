#include "bus/bus_links.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "bus/socket_tools.hpp"
#include "runtime/process.hpp"

namespace mbusd {
namespace {

using mbus::protocol::scope;

std::string_view name_of(ip_family family) { return family == ip_family::v4 ? "IPv4" : "IPv6"; }

std::string error_text(int error) { return std::generic_category().message(error); }

// Whether the kernel would route a datagram to the group over this link. Connecting a UDP socket
// looks the route up and sends nothing.
int route_error(const ip_address& group, std::uint16_t port, std::uint32_t link) {
    const unique_fd probe{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP)};
    const auto name = make_socket_address(group, port, link);
    const bool reachable =
        probe && ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name.storage), name.length) == 0;
    return reachable ? 0 : errno;
}

}  // namespace

bus_links::bus_links(boost::asio::io_context& context, bus_options options, logger& log)
    : options_(std::move(options)), log_(log), watch_(context, table_, log) {
    for (const auto& warning : option_warnings(options_)) log_.warning(warning);
    for (const auto family : {ip_family::v4, ip_family::v6}) {
        if (uses_family(options_, family)) open(context, family);
    }
    if (!v4_ && !v6_) {
        std::string reasons;
        for (const auto& [family, text] : notes_) reasons += (reasons.empty() ? "" : "; ") + text;
        throw std::system_error(std::make_error_code(std::errc::network_unreachable),
                                "no socket for the bus: " + reasons);
    }
    watch_.read_all();
    update();
    if (links().empty())
        log_.notice("no usable network interface yet; mbusd waits for one",
                    {{"scope", std::string{to_string(options_.scope)}}});
}

void bus_links::open(boost::asio::io_context& context, ip_family family) {
    try {
        (family == ip_family::v4 ? v4_ : v6_) = std::make_unique<family_sockets>(context, options_, family);
    } catch (const std::system_error& failure) {
        note(family, fmt::format("{} is off: {}", name_of(family), failure.what()),
             family == main_family(options_));
    }
}

void bus_links::note(ip_family family, std::string text, bool important) {
    auto& known = notes_[family];
    if (known == text) return;
    known = std::move(text);
    log_.write(important ? level::warning : level::info, known);
}

void bus_links::set_filter(std::vector<std::string> allow, std::vector<std::string> deny) {
    options_.allow = std::move(allow);
    options_.deny = std::move(deny);
}

bool bus_links::update() {
    auto next = choose_links(table_, options_);
    for (auto& link : next.links) {
        if (!v4_) link.source_v4.reset();
        if (!v6_) link.source_v6.reset();
    }
    if (options_.scope == scope::host_local && v6_) drop_unreachable_v6(next.links);
    std::erase_if(next.links, [](const bus_link& link) { return !link.source_v4 && !link.source_v6; });
    const auto before = std::exchange(choice_, std::move(next));
    if (v4_) join_and_leave(*v4_, ip_family::v4);
    if (v6_) join_and_leave(*v6_, ip_family::v6);
    tell_new_addresses(before.links);
    return before.links != links();
}

// The host-ID of our entities stays; what peers see as the source of our datagrams is new.
void bus_links::tell_new_addresses(const std::vector<bus_link>& before) const {
    for (const auto& link : links()) {
        const auto old = std::ranges::find(before, link.index, &bus_link::index);
        if (old == before.end()) continue;
        for (const auto& [was, is] :
             {std::pair{old->source_v4, link.source_v4}, std::pair{old->source_v6, link.source_v6}}) {
            if (was && is && *was != *is) {
                log_.info(
                    "interface has a new address",
                    {{"interface", link.name}, {"address", to_string(*is)}, {"before", to_string(*was)}});
            }
        }
    }
}

// The loopback interface has no route for IPv6 multicast unless somebody made one. Then host-local
// IPv6 can't work; IPv4 does.
void bus_links::drop_unreachable_v6(std::vector<bus_link>& links) {
    for (auto& link : links) {
        if (!link.source_v6) continue;
        if (route_error(v6_->group().group(), options_.port, link.index) == 0) {
            notes_.erase(ip_family::v6);
            continue;
        }
        link.source_v6.reset();
        note(ip_family::v6,
             fmt::format(
                 "host-local IPv6 is off: {0} has no multicast route; IPv4 is enough for one host, or run: "
                 "ip -6 route add local ff00::/8 dev {0} table local",
                 link.name),
             main_family(options_) == ip_family::v6);
    }
}

void bus_links::join_and_leave(family_sockets& sockets, ip_family family) {
    std::set<std::uint32_t> wanted;
    for (const auto& link : links()) {
        if (link.has(family)) wanted.insert(link.index);
    }
    for (auto joined = sockets.joined.begin(); joined != sockets.joined.end();) {
        if (wanted.contains(*joined)) {
            ++joined;
            continue;
        }
        const auto* card = table_.find(*joined);
        log_.info("interface left",
                  {{"interface", card == nullptr ? fmt::format("#{}", *joined) : card->name},
                   {"family", std::string{name_of(family)}}});
        sockets.group().leave(*joined);
        joined = sockets.joined.erase(joined);
    }
    for (const auto& link : links()) {
        if (!wanted.contains(link.index) || sockets.joined.contains(link.index)) continue;
        if (const int error = sockets.group().join(link.index); error != 0) {
            ++join_errors_;
            const auto* hint = error == ENOBUFS ? "raise it: sysctl net.ipv4.igmp_max_memberships=200"
                                                : "the next change of the interface tries again";
            log_.limited(level::warning, "join/" + link.name, "cannot join the group",
                         {{"interface", link.name},
                          {"family", std::string{name_of(family)}},
                          {"error", error_text(error)},
                          {"hint", hint}});
            continue;
        }
        sockets.joined.insert(link.index);
        log_.info("interface joined",
                  {{"interface", link.name},
                   {"family", std::string{name_of(family)}},
                   {"address", to_string(family == ip_family::v4 ? *link.source_v4 : *link.source_v6)}});
    }
}

std::string bus_links::host_id() const {
    return choose_host_id(choose_links(table_, options_, address_use::naming).links, options_, random_seed);
}

std::vector<group_target> bus_links::targets() const {
    std::vector<group_target> made;
    const auto main = main_family(options_);
    for (const auto& link : links()) {
        for (const auto family : {ip_family::v4, ip_family::v6}) {
            if (!link.has(family)) continue;
            const bool v4 = family == ip_family::v4;
            const auto group = (v4 ? *v4_ : *v6_).group().group();
            made.push_back({.interface_index = link.index,
                            .name = link.name,
                            .family = family,
                            .destination = options_.broadcast && v4 ? *link.broadcast_v4 : group,
                            .source = v4 ? *link.source_v4 : *link.source_v6,
                            .payload_max = payload_octets(link, family),
                            .presence_only = options_.families == family_rule::automatic && family != main &&
                                             link.has(main)});
        }
    }
    return made;
}

std::size_t bus_links::datagram_budget() const {
    std::size_t budget = std::min(options_.datagram_budget_max, udp_octets_max);
    for (const auto& target : targets()) budget = std::min(budget, target.payload_max);
    return budget;
}

std::string_view bus_links::interface_name(std::uint32_t index) const {
    const auto* card = table_.find(index);
    return card == nullptr ? std::string_view{} : std::string_view{card->name};
}

bool bus_links::accepts_source(const mbus::protocol::endpoint& from) const {
    if (options_.scope != scope::host_local) return true;
    const auto source = address_of(from);
    if (!source.is_unspecified()) return table_.is_local(source);
    // Programs without a loopback route send from 0.0.0.0; what arrives on `lo` is of this host.
    const auto* card = table_.find(from.interface_index);
    return card != nullptr && card->has(IFF_LOOPBACK);
}

family_sockets* bus_links::sockets(ip_family family) noexcept {
    return (family == ip_family::v4 ? v4_ : v6_).get();
}

void bus_links::close() {
    watch_.stop();
    for (const auto& sockets : {v4_.get(), v6_.get()}) {
        if (sockets != nullptr) sockets->stop();
    }
}

void bus_links::describe(bus_status& status) const {
    status.scope = to_string(options_.scope);
    status.families = to_string(options_.families);
    status.port = options_.port;
    for (const auto* sockets : {v4_.get(), v6_.get()}) {
        if (sockets == nullptr) continue;
        const bool v4 = sockets == v4_.get();
        (v4 ? status.group_v4 : status.group_v6) = to_string(sockets->group().group());
        (v4 ? status.endpoint_port_v4 : status.endpoint_port_v6) = sockets->endpoint().port();
        status.receive_buffer = sockets->group().receive_buffer();
    }
    for (const auto& link : links()) {
        interface_status one;
        one.name = link.name;
        one.index = link.index;
        one.mtu = link.mtu;
        one.carrier = link.carrier;
        one.joined_v4 = v4_ && v4_->joined.contains(link.index);
        one.joined_v6 = v6_ && v6_->joined.contains(link.index);
        if (link.source_v4) one.address_v4 = to_string(*link.source_v4);
        if (link.source_v6) one.address_v6 = to_string(*link.source_v6);
        status.interfaces.push_back(std::move(one));
    }
    status.skipped = choice_.skipped;
    for (const auto& [family, text] : notes_) status.notes.push_back(text);
    status.join_errors = join_errors_;
    status.netlink_overruns = watch_.overruns();
    status.datagram_budget = datagram_budget();
}

}  // namespace mbusd
