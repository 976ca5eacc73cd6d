#include "ends.hpp"

#include <doctest/doctest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include <mbus/address.hpp>

#include "bus/socket_tools.hpp"
#include "protocol/envelope.hpp"
#include "protocol/session_config.hpp"

namespace ends {
namespace {

using namespace mbus::protocol;

// The same key for all, so that they understand each other.
envelope shared_envelope() {
    session_config config;
    const std::array<std::byte, 20> key{std::byte{7}};
    config.hash_key = secret{key};
    auto made = envelope::create(config);
    REQUIRE(made);
    return std::move(*made);
}

}  // namespace

daemon::daemon(boost::asio::io_context& context, mbusd::bus_options options)
    : log(mbusd::level::debug,
          [this](mbusd::level which, std::string_view message, const std::vector<mbusd::log_field>& fields) {
              log_lines.push_back(std::string{mbusd::to_string(which)} + ": " +
                                  mbusd::format_log_line(message, fields));
          }),
      bus(context, std::move(options), node_options{}, shared_envelope(), *this, log) {}

std::string daemon::start(const std::string& name) {
    bus.start();
    const auto attached = bus.node().attach(bus.now(), *mbus::address::parse("(app:" + name + ")"), 77);
    REQUIRE(attached);
    entity = *attached;
    bus.schedule_flush();
    return std::string{bus.node().address_of(entity)->text()};
}

void daemon::send(const std::string& destination, const std::string& payload, bool reliable) {
    const auto target = *mbus::address::parse(destination);
    send_request request{};
    request.from = entity;
    request.destination = &target;
    request.payload = payload;
    request.commands = 1;
    request.reliable = reliable;
    const auto sent = bus.node().send(bus.now(), request);
    REQUIRE(sent);
    bus.schedule_flush();
}

bool daemon::deliver(entity_handle, const std::shared_ptr<const inbound>& what) {
    delivered.push_back(what->payload);
    return true;
}
void daemon::observed(const std::shared_ptr<const inbound>&) {}
void daemon::sent(const send_report& report) { reports.push_back(report); }
void daemon::peer_changed(const peer_view&, peer_state) {}

bool daemon::logged(std::string_view part) const {
    for (const auto& line : log_lines) {
        if (line.find(part) != std::string::npos) return true;
    }
    return false;
}

bystander::bystander(const std::string& group, const std::string& interface_name, std::uint16_t port,
                     bool reuse_port)
    : group_(mbusd::ip_address::parse(group).value()),
      interface_(::if_nametoindex(interface_name.c_str())),
      fd_(mbusd::open_udp(group_.family)) {
    using mbusd::set_option;
    const int fd = fd_.get();
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    if (reuse_port) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
    const auto name = mbusd::make_socket_address({group_.family, {}}, port);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&name.storage), name.length) == 0);
    if (group_.family == mbusd::ip_family::v4) {
        set_option(fd, IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO");
        set_option(fd, IPPROTO_IP, IP_RECVTTL, 1, "IP_RECVTTL");
        set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL");
        set_option(fd, SOL_SOCKET, SO_BROADCAST, 1, "SO_BROADCAST");
        const ip_mreqn request{mbusd::to_in_addr(group_), {}, static_cast<int>(interface_)};
        if (group_.is_multicast()) {
            REQUIRE(::setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0);
            REQUIRE(::setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) == 0);
        }
    } else {
        set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO");
        set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT");
        const ipv6_mreq request{mbusd::to_in6_addr(group_), interface_};
        REQUIRE(::setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) == 0);
    }
}

std::optional<captured> bystander::next() {
    std::array<char, 65536> text;
    alignas(cmsghdr) std::array<char, 256> control{};
    sockaddr_storage from{};
    iovec part{text.data(), text.size()};
    msghdr header{};
    header.msg_name = &from;
    header.msg_namelen = sizeof from;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const auto got = ::recvmsg(fd_.get(), &header, MSG_DONTWAIT);
    if (got < 0) return std::nullopt;
    const auto source = mbusd::to_endpoint(from).value();
    captured one;
    one.text.assign(text.data(), static_cast<std::size_t>(got));
    one.source = to_string(mbusd::address_of(source));
    one.source_port = source.port;
    for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
        if (item->cmsg_type == IP_PKTINFO && item->cmsg_level == IPPROTO_IP) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(item), sizeof info);
            one.destination = to_string(mbusd::from_in_addr(info.ipi_addr));
            one.interface_index = static_cast<std::uint32_t>(info.ipi_ifindex);
        } else if (item->cmsg_type == IPV6_PKTINFO && item->cmsg_level == IPPROTO_IPV6) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(item), sizeof info);
            one.destination = to_string(mbusd::from_in6_addr(info.ipi6_addr));
            one.interface_index = info.ipi6_ifindex;
        } else {
            std::memcpy(&one.ttl, CMSG_DATA(item), sizeof one.ttl);
        }
    }
    return one;
}

void bystander::send(std::string_view text, const std::string& to, std::uint16_t port) {
    const auto name = mbusd::make_socket_address(mbusd::ip_address::parse(to).value(), port, interface_);
    REQUIRE(::sendto(fd_.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&name.storage),
                     name.length) == static_cast<ssize_t>(text.size()));
}

bool run_until(boost::asio::io_context& context, const std::function<bool()>& done,
               std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    context.restart();
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) return false;
        context.run_one_for(std::chrono::milliseconds{20});
        context.restart();
    }
    return true;
}

captured wait_for(boost::asio::io_context& context, bystander& from,
                  const std::function<bool(const captured&)>& wanted) {
    std::optional<captured> found;
    REQUIRE(run_until(context, [&] {
        while (auto one = from.next()) {
            if (wanted(*one)) {
                found = std::move(one);
                return true;
            }
        }
        return false;
    }));
    return *found;
}

bool is_hello(const captured& one) { return one.text.find("mbus.hello()") != std::string::npos; }

bool is_text(const captured& one) { return one.text.find("demo.text") != std::string::npos; }

mbusd::bus_options link_local(mbusd::family_rule families) {
    mbusd::bus_options options;
    options.scope = mbus::protocol::scope::link_local;
    options.families = families;
    return options;
}

bool meet(boost::asio::io_context& context, daemon& one, daemon& other) {
    return run_until(context, [&] { return one.peers() == 1 && other.peers() == 1; });
}

}  // namespace ends
