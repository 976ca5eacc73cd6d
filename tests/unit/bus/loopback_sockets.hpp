// Two UDP sockets on the loopback interface: one that sends runs, one prepared as those of the bus are.
#pragma once

#include <doctest/doctest.h>
#include <netinet/udp.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "bus/ip_address.hpp"
#include "bus/send_batch.hpp"
#include "bus/socket_tools.hpp"
#include "protocol/node.hpp"
#include "runtime/unique_fd.hpp"

namespace loopback {

struct sockets {
    mbusd::unique_fd sender;
    mbusd::unique_fd receiver;
    mbus::protocol::endpoint to;

    // As one message.
    void send(const std::vector<std::string>& datagrams) const {
        std::vector<mbus::protocol::outgoing> all;
        for (const auto& each : datagrams) all.push_back({each, false, false, to});
        mbusd::send_batch batch;
        REQUIRE(batch.add(mbusd::send_route{mbusd::address_of(to), to.port, 0}, all));
        REQUIRE(batch.send(sender.get()) == 1);
    }
};

inline mbusd::unique_fd bound(mbusd::ip_family family) {
    auto fd = mbusd::open_udp(family);
    const auto loopback = mbusd::ip_address::parse(family == mbusd::ip_family::v4 ? "127.0.0.1" : "::1");
    const auto name = mbusd::make_socket_address(loopback.value(), 0);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name.storage), name.length) != 0)
        throw std::system_error(errno, std::generic_category(), "bind");
    return fd;
}

// Nothing, with a printed reason, where the host lacks the family. `runs_heard`: the receiver asks for
// runs in one piece.
inline std::optional<sockets> pair_of_sockets(mbusd::ip_family family, bool runs_heard) {
    try {
        sockets made{bound(family), bound(family), {}};
        mbusd::prepare_receiving(made.receiver.get(), family);
        const int heard = runs_heard ? 1 : 0;
        ::setsockopt(made.receiver.get(), SOL_UDP, UDP_GRO, &heard, sizeof heard);
        sockaddr_storage name{};
        socklen_t length = sizeof name;
        REQUIRE(::getsockname(made.receiver.get(), reinterpret_cast<sockaddr*>(&name), &length) == 0);
        made.to = mbusd::to_endpoint(name).value();
        return made;
    } catch (const std::system_error& failure) {
        std::cout << "skipped a family: " << failure.what() << '\n';
        return std::nullopt;
    }
}

}  // namespace loopback
