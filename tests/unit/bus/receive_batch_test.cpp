#include "bus/receive_batch.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <vector>

#include "loopback_sockets.hpp"

using namespace mbusd;
using loopback::pair_of_sockets;

namespace {

std::vector<std::string> read_all(receive_batch& batch, int fd) {
    std::vector<std::string> out;
    bool more = true;
    while (more) {
        more = batch.read(fd, [&](const received& one) {
            CHECK_FALSE(one.truncated);
            CHECK(one.from.interface_index != 0);
            out.emplace_back(one.datagram);
        });
    }
    return out;
}

}  // namespace

TEST_CASE("datagrams come one by one, whatever was sent as a run and heard as one") {
    for (const auto family : {ip_family::v4, ip_family::v6}) {
        for (const bool runs_heard : {false, true}) {
            CAPTURE(runs_heard);
            auto ends = pair_of_sockets(family, runs_heard);
            if (!ends) continue;
            // given a run, a single datagram, an empty one and another run
            ends->send({"aaaa", "bbbb", "cc"});
            ends->send({"dddd"});
            ends->send({""});
            ends->send({"e", "f"});
            // when
            receive_batch batch;
            const auto heard = read_all(batch, ends->receiver.get());
            // then
            CHECK(heard == std::vector<std::string>{"aaaa", "bbbb", "cc", "dddd", "", "e", "f"});
            CHECK(read_all(batch, ends->receiver.get()).empty());
        }
    }
}

TEST_CASE("more than one batch waits: all are read, in order") {
    auto ends = pair_of_sockets(ip_family::v4, true);
    REQUIRE(ends);
    std::vector<std::string> sent;
    for (int i = 0; i < 150; ++i) sent.push_back("number " + std::to_string(i));
    for (const auto& each : sent) ends->send({each});
    receive_batch batch;
    std::size_t heard = 0;
    CHECK(batch.read(ends->receiver.get(), [&](const received&) { ++heard; }));
    CHECK(heard == batch_buffers);
    const auto rest = read_all(batch, ends->receiver.get());
    CHECK(heard + rest.size() == sent.size());
    CHECK(std::equal(rest.begin(), rest.end(), sent.begin() + batch_buffers));
}

TEST_CASE("after long runs the next batch is small, after small datagrams a full one") {
    auto ends = pair_of_sockets(ip_family::v4, true);
    REQUIRE(ends);
    receive_batch batch;
    const auto read_one_batch = [&] {
        std::size_t heard = 0;
        batch.read(ends->receiver.get(), [&](const received&) { ++heard; });
        return heard;
    };
    ends->send(std::vector<std::string>(46, std::string(1400, 'x')));
    CHECK(read_one_batch() == 46);
    for (int i = 0; i < 30; ++i) ends->send({"small"});
    CHECK(read_one_batch() == 4);
    CHECK(read_one_batch() == 26);
}

TEST_CASE("an error is no datagram") {
    receive_batch batch;
    CHECK_FALSE(batch.read(-1, [](const received&) { FAIL("nothing was received"); }));
}
