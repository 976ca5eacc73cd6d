// Reads datagrams in batches (recvmmsg) into buffers that all sockets share; what the kernel hands over
// as one (UDP_GRO, bus/datagram_run.hpp) is cut here. The buffers are mapped, not touched: small
// datagrams keep one page each resident, and what a burst of large ones touched is given back.
//
//     bool more = true;
//     while (more && patience) more = batch.read(fd, [&](const received& one) { ... });
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "protocol/endpoint.hpp"

namespace mbusd {

inline constexpr std::size_t batch_buffers = 64;
// A UDP datagram has at most 65527 octets of payload; trap T1 asks for 64 KiB.
inline constexpr std::size_t datagram_buffer_octets = 65536;

struct received {
    std::string_view datagram;
    mbus::protocol::endpoint from;  // interface_index: where it arrived
    bool truncated = false;
    // What this socket has lost so far because its buffer was full, if the kernel says so: datagrams, or
    // several at once.
    std::optional<std::uint32_t> kernel_drops;
};

class receive_batch {
public:
    receive_batch();
    ~receive_batch();
    receive_batch(const receive_batch&) = delete;
    receive_batch& operator=(const receive_batch&) = delete;

    // Reads one batch without waiting; calls visit for each datagram; true when more may wait. An
    // empty queue gives false; so does an error, which the next batch meets again or not.
    bool read(int fd, const std::function<void(const received&)>& visit);

private:
    void prepare(std::size_t place) noexcept;
    void remember_size(std::size_t place, std::size_t octets) noexcept;
    void release_large() noexcept;

    struct frame;  // headers of one batch
    std::unique_ptr<frame> frame_;
    char* buffers_ = nullptr;
    std::size_t wanted_;        // buffers of the next batch
    std::size_t resident_ = 0;  // octets beyond the first page of each buffer
};

}  // namespace mbusd
