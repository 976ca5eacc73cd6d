#include "bus/receive_batch.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#include "bus/datagram_run.hpp"
#include "bus/ip_address.hpp"

namespace mbusd {
namespace {

constexpr std::size_t mapped_octets = batch_buffers * datagram_buffer_octets;
constexpr std::size_t page_octets = 4096;
// As much of runs is read at once as the processor's cache holds while it is looked at.
constexpr std::size_t batch_octets = 256 * 1024;
// More than this beyond the first pages goes back to the kernel after the batch.
constexpr std::size_t keep_octets = batch_octets;
// Room for packet info, the count of drops and the length of segments.
constexpr std::size_t control_octets = 128;

template <class Value>
Value value_of(const cmsghdr& header) {
    Value value{};
    std::memcpy(&value, CMSG_DATA(&header), sizeof value);
    return value;
}

// What is told beside the octets; the length of segments (0: not a run).
std::size_t read_control(msghdr& message, received& into) {
    std::size_t segment_octets = 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
            into.from.interface_index = static_cast<std::uint32_t>(value_of<in_pktinfo>(*header).ipi_ifindex);
        } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
            into.from.interface_index = value_of<in6_pktinfo>(*header).ipi6_ifindex;
        } else if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_RXQ_OVFL) {
            into.kernel_drops = value_of<std::uint32_t>(*header);
        } else if (header->cmsg_level == SOL_UDP && header->cmsg_type == UDP_GRO) {
            segment_octets = static_cast<std::size_t>(std::max(value_of<int>(*header), 0));
        }
    }
    return segment_octets;
}

}  // namespace

struct receive_batch::frame {
    std::array<mmsghdr, batch_buffers> messages{};
    std::array<iovec, batch_buffers> parts{};
    std::array<sockaddr_storage, batch_buffers> names{};
    alignas(cmsghdr) std::array<std::array<char, control_octets>, batch_buffers> controls{};
    // How many octets of each buffer were touched, at most, since the last release.
    std::array<std::size_t, batch_buffers> touched{};
};

receive_batch::receive_batch() : frame_(std::make_unique<frame>()), wanted_(batch_buffers) {
    void* mapped = ::mmap(nullptr, mapped_octets, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc{};
    buffers_ = static_cast<char*>(mapped);
    // Huge pages would make all of it resident at the first datagram.
    ::madvise(mapped, mapped_octets, MADV_NOHUGEPAGE);
    for (std::size_t i = 0; i < batch_buffers; ++i) {
        frame_->parts[i] = {buffers_ + i * datagram_buffer_octets, datagram_buffer_octets};
        prepare(i);
    }
}

receive_batch::~receive_batch() { ::munmap(buffers_, mapped_octets); }

// The kernel overwrites what it fills in, and leaves the other headers alone.
void receive_batch::prepare(std::size_t place) noexcept {
    msghdr& header = frame_->messages[place].msg_hdr;
    header.msg_name = &frame_->names[place];
    header.msg_namelen = sizeof(sockaddr_storage);
    header.msg_iov = &frame_->parts[place];
    header.msg_iovlen = 1;
    header.msg_control = frame_->controls[place].data();
    header.msg_controllen = control_octets;
    header.msg_flags = 0;
}

bool receive_batch::read(int fd, const std::function<void(const received&)>& visit) {
    int got = 0;
    do {
        got = ::recvmmsg(fd, frame_->messages.data(), static_cast<unsigned>(wanted_), MSG_DONTWAIT, nullptr);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return false;

    const auto count = static_cast<std::size_t>(got);
    const bool more = count == wanted_;
    std::size_t octets = 0;
    for (std::size_t i = 0; i < count; ++i) {
        msghdr& header = frame_->messages[i].msg_hdr;
        const std::size_t length = frame_->messages[i].msg_len;
        octets += length;
        remember_size(i, length);
        if (const auto from = to_endpoint(frame_->names[i])) {
            received one{{}, *from, false, {}};
            const bool truncated = (header.msg_flags & MSG_TRUNC) != 0;
            const auto segment_octets = read_control(header, one);
            for_each_segment({buffers_ + i * datagram_buffer_octets, length}, segment_octets,
                             [&](std::string_view datagram, bool last) {
                                 one.datagram = datagram;
                                 one.truncated = truncated && last;
                                 visit(one);
                             });
        }
        prepare(i);
    }
    wanted_ =
        std::clamp(batch_octets / std::max<std::size_t>(octets / count, 1), std::size_t{4}, batch_buffers);
    if (resident_ > keep_octets) release_large();
    return more;
}

void receive_batch::remember_size(std::size_t place, std::size_t octets) noexcept {
    auto& most = frame_->touched[place];
    if (octets <= std::max(most, page_octets)) return;
    resident_ += octets - std::max(most, page_octets);
    most = octets;
}

void receive_batch::release_large() noexcept {
    for (std::size_t i = 0; i < batch_buffers; ++i) {
        if (frame_->touched[i] <= page_octets) continue;
        ::madvise(buffers_ + i * datagram_buffer_octets + page_octets, datagram_buffer_octets - page_octets,
                  MADV_DONTNEED);
        frame_->touched[i] = 0;
    }
    resident_ = 0;
}

}  // namespace mbusd
