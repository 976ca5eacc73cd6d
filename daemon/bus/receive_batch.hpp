// Reads datagrams in batches (recvmmsg) into buffers that all sockets share. The buffers are mapped,
// not touched: small datagrams keep one page each resident, and what a burst of large ones touched
// is given back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "protocol/endpoint.hpp"

namespace mbusd {

inline constexpr std::size_t batch_datagrams = 64;
// A UDP datagram has at most 65527 octets of payload; trap T1 asks for 64 KiB.
inline constexpr std::size_t datagram_buffer_octets = 65536;

struct received {
    std::string_view datagram;
    mbus::protocol::endpoint from;  // interface_index: where it arrived
    bool truncated = false;
    // Datagrams that this socket has lost so far because its buffer was full, if the kernel says so.
    std::optional<std::uint32_t> kernel_drops;
};

class receive_batch {
public:
    receive_batch();
    ~receive_batch();
    receive_batch(const receive_batch&) = delete;
    receive_batch& operator=(const receive_batch&) = delete;

    // Reads one batch without waiting; calls visit for each datagram; returns how many there were.
    // An empty queue gives 0; so does an error, which the next batch meets again or not.
    std::size_t read(int fd, const std::function<void(const received&)>& visit);

private:
    void release_large() noexcept;

    struct frame;  // headers of one batch
    std::unique_ptr<frame> frame_;
    char* buffers_ = nullptr;
    std::size_t touched_ = 0;  // octets beyond the first page of each buffer, since the last release
};

}  // namespace mbusd
