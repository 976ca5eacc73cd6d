#include "bus/datagram_sender.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <vector>

#include "bus/receive_batch.hpp"
#include "loopback_sockets.hpp"

using namespace mbusd;
using loopback::pair_of_sockets;
using mbus::protocol::outgoing;

namespace {

constexpr std::uint32_t loopback_index = 1;

// A sender whose "links" are receivers on the loopback interface, and what it told.
struct sending {
    explicit sending(const std::vector<const loopback::sockets*>& links, std::size_t payload_max = 1472)
        : out(links.at(0)->to.port, true,
              {.needs_other = [](auto) { return false; },
               .on_error = [this](const group_target*, int error) { errors.push_back(error); },
               .on_oversized = [](const auto&, auto) {},
               .on_runs_refused = [this](const group_target*, int error) { refused.push_back(error); }}) {
        out.set_sockets(links.at(0)->sender.get(), -1);
        group_target target{.interface_index = loopback_index,
                            .name = "lo",
                            .family = ip_family::v4,
                            .destination = address_of(links.at(0)->to),
                            .source = address_of(links.at(0)->to),
                            .payload_max = payload_max,
                            .presence_only = false};
        out.set_targets({target});
    }

    std::size_t send(const std::vector<std::string>& texts) {
        std::vector<outgoing> all;
        for (const auto& each : texts) all.push_back({each, true, false, {}});
        return out.send(all, {});
    }

    datagram_sender out;
    std::vector<int> errors;
    std::vector<int> refused;
};

struct heard {
    std::vector<std::string> texts;
    std::vector<std::size_t> buffers;  // how many datagrams the kernel handed over at once
};

heard hear(const loopback::sockets& from) {
    heard out;
    std::string buffer(65536, '\0');
    while (true) {
        alignas(cmsghdr) std::array<char, 256> control{};
        iovec part{buffer.data(), buffer.size()};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        const auto got = ::recvmsg(from.receiver.get(), &header, MSG_DONTWAIT);
        if (got < 0) return out;
        int segment = static_cast<int>(got);
        for (auto* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item))
            if (item->cmsg_level == SOL_UDP && item->cmsg_type == UDP_GRO)
                std::memcpy(&segment, CMSG_DATA(item), sizeof segment);
        const std::string_view all{buffer.data(), static_cast<std::size_t>(got)};
        std::size_t count = 0;
        for (std::size_t at = 0; at < all.size(); at += static_cast<std::size_t>(segment), ++count)
            out.texts.emplace_back(all.substr(at, static_cast<std::size_t>(segment)));
        out.buffers.push_back(count);
    }
}

std::vector<std::string> texts_of(std::size_t count, std::size_t octets) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count; ++i) {
        out.push_back(std::to_string(i));
        out.back().resize(octets, '.');
    }
    return out;
}

}  // namespace

TEST_CASE("runs go to the kernel as one message each, and every datagram is counted") {
    const auto ends = pair_of_sockets(ip_family::v4, true);
    REQUIRE(ends);
    sending by{{&*ends}};
    // given 150 datagrams, the last one shorter
    auto texts = texts_of(150, 200);
    texts.back().resize(50);
    // when
    CHECK(by.send(texts) == 150);
    // then the second window of 128 has a run of its own
    const auto got = hear(*ends);
    CHECK(got.texts == texts);
    CHECK(got.buffers == std::vector<std::size_t>{64, 64, 22});
    CHECK(by.out.counts().at(loopback_index).datagrams == 150);
    CHECK(by.refused.empty());
}

TEST_CASE("who hears no runs hears the same datagrams") {
    const auto ends = pair_of_sockets(ip_family::v4, false);
    REQUIRE(ends);
    sending by{{&*ends}};
    const auto texts = texts_of(70, 200);
    CHECK(by.send(texts) == 70);
    const auto got = hear(*ends);
    CHECK(got.texts == texts);
    CHECK(got.buffers == std::vector<std::size_t>(70, 1));
}

TEST_CASE("datagrams beyond the link's packets are no runs") {
    const auto ends = pair_of_sockets(ip_family::v4, true);
    REQUIRE(ends);
    sending by{{&*ends}, 100};
    const auto texts = texts_of(5, 101);
    CHECK(by.send(texts) == 5);
    const auto got = hear(*ends);
    CHECK(got.texts == texts);
    CHECK(got.buffers == std::vector<std::size_t>(5, 1));
    CHECK(by.out.oversized() == 5);
}

TEST_CASE("directed unicast between group datagrams keeps its place, and runs of it are sent as one") {
    const auto ends = pair_of_sockets(ip_family::v4, true);
    REQUIRE(ends);
    sending by{{&*ends}};
    const auto texts = texts_of(6, 20);
    std::vector<outgoing> all;
    for (std::size_t i = 0; i < texts.size(); ++i)
        all.push_back({texts[i], i < 2 || i == 5, false, ends->to});
    CHECK(by.out.send(all, {}) == 6);
    const auto got = hear(*ends);
    CHECK(got.texts == texts);
    CHECK(got.buffers == std::vector<std::size_t>{2, 3, 1});
    CHECK(by.out.counts().at(loopback_index).datagrams == 3);
}

TEST_CASE("where the kernel refuses runs, datagrams go one by one until the links change") {
    const auto ends = pair_of_sockets(ip_family::v4, true);
    REQUIRE(ends);
    sending by{{&*ends}};
    // given a socket without checksums, for which the kernel refuses (EINVAL)
    const int fd = ends->sender.get();
    set_option(fd, SOL_SOCKET, SO_NO_CHECK, 1, "SO_NO_CHECK");
    const auto texts = texts_of(100, 200);
    // when
    CHECK(by.send(texts) == 100);
    CHECK(by.send(texts) == 100);
    // then nothing is lost, counted twice or told twice
    auto got = hear(*ends);
    auto twice = texts;
    twice.insert(twice.end(), texts.begin(), texts.end());
    CHECK(got.texts == twice);
    CHECK(got.buffers == std::vector<std::size_t>(200, 1));
    CHECK(by.out.counts().at(loopback_index).datagrams == 200);
    CHECK(by.out.errors() == 0);
    CHECK(by.errors.empty());
    CHECK(by.refused == std::vector<int>{EINVAL});
    // and with other links it is tried anew
    set_option(fd, SOL_SOCKET, SO_NO_CHECK, 0, "SO_NO_CHECK");
    group_target again{.interface_index = loopback_index,
                       .name = "lo",
                       .family = ip_family::v4,
                       .destination = address_of(ends->to),
                       .source = address_of(ends->to),
                       .payload_max = 1472,
                       .presence_only = false};
    by.out.set_targets({again});
    CHECK(by.send(texts) == 100);
    CHECK(hear(*ends).buffers == std::vector<std::size_t>{64, 36});
}

TEST_CASE("a run that fails is tried one by one, so that each datagram has its own error") {
    const auto ends = pair_of_sockets(ip_family::v4, true);
    REQUIRE(ends);
    sending by{{&*ends}};
    by.out.set_sockets(-1, -1);
    CHECK(by.send(texts_of(10, 20)) == 10);
    CHECK(by.out.errors() == 10);
    CHECK(by.errors == std::vector<int>(10, EBADF));
    CHECK(by.refused.empty());
    CHECK(by.out.counts().at(loopback_index).datagrams == 0);
}
