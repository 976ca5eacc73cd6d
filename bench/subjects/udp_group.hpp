// A multicast group for messages of one size, each in a datagram with HMAC-SHA1-96 before it: the least that an
// authenticated bus has to do. Two sides on two ports, so that nobody hears itself.
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "protocol/envelope_mac.hpp"

namespace bench {

enum class side : std::uint8_t { first, second };

class udp_group {
public:
    // Datagrams of one call and of one receipt.
    static constexpr std::size_t run_max = 64;

    udp_group(side mine, std::size_t message_octets, bool segmented);
    ~udp_group();
    udp_group(const udp_group&) = delete;
    udp_group& operator=(const udp_group&) = delete;

    [[nodiscard]] int socket() const noexcept { return socket_; }
    // Whole messages, one after the other.
    void send(std::string_view messages);
    // Those that are there, at least one unless the time is over; how many had the right code.
    template <class Take>
    std::size_t receive(std::chrono::milliseconds limit, const Take& take) {
        std::size_t good = 0;
        const auto runs = wait_and_read(limit);
        for (std::size_t run = 0; run < runs; ++run)
            for (std::size_t at = 0; at + datagram_ <= lengths_[run]; at += datagram_)
                if (const auto message = checked(run, at); !message.empty()) {
                    take(message);
                    ++good;
                }
        return good;
    }

private:
    std::size_t wait_and_read(std::chrono::milliseconds limit);
    [[nodiscard]] std::string_view checked(std::size_t run, std::size_t at);
    void send_single(std::size_t count);
    void send_segmented(std::size_t octets);

    std::size_t message_;
    std::size_t datagram_;  // with its code
    bool segmented_;
    int socket_ = -1;
    sockaddr_in to_{};
    std::unique_ptr<mbus::protocol::keyed_mac> mac_;
    std::vector<char> out_;
    std::vector<std::vector<char>> in_;
    std::vector<std::size_t> lengths_;
};

}  // namespace bench
