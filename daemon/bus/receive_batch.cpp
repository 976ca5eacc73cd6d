#include "bus/receive_batch.hpp"

#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#include "bus/ip_address.hpp"

namespace mbusd {
namespace {

constexpr std::size_t mapped_octets = batch_datagrams * datagram_buffer_octets;
constexpr std::size_t page_octets = 4096;
// More than this beyond the first pages goes back to the kernel after the batch.
constexpr std::size_t keep_octets = 1024 * 1024;
// Room for packet info and the count of drops.
constexpr std::size_t control_octets = 128;

template <class Value>
Value value_of(const cmsghdr& header) {
    Value value{};
    std::memcpy(&value, CMSG_DATA(&header), sizeof value);
    return value;
}

void read_control(msghdr& message, received& into) {
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
            into.from.interface_index = static_cast<std::uint32_t>(value_of<in_pktinfo>(*header).ipi_ifindex);
        } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
            into.from.interface_index = value_of<in6_pktinfo>(*header).ipi6_ifindex;
        } else if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_RXQ_OVFL) {
            into.kernel_drops = value_of<std::uint32_t>(*header);
        }
    }
}

}  // namespace

struct receive_batch::frame {
    std::array<mmsghdr, batch_datagrams> messages;
    std::array<iovec, batch_datagrams> parts;
    std::array<sockaddr_storage, batch_datagrams> names;
    alignas(cmsghdr) std::array<std::array<char, control_octets>, batch_datagrams> controls;
};

receive_batch::receive_batch() : frame_(std::make_unique<frame>()) {
    void* mapped = ::mmap(nullptr, mapped_octets, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc{};
    buffers_ = static_cast<char*>(mapped);
    // Huge pages would make all of it resident at the first datagram.
    ::madvise(mapped, mapped_octets, MADV_NOHUGEPAGE);
}

receive_batch::~receive_batch() { ::munmap(buffers_, mapped_octets); }

std::size_t receive_batch::read(int fd, const std::function<void(const received&)>& visit) {
    for (std::size_t i = 0; i < batch_datagrams; ++i) {
        frame_->parts[i] = {buffers_ + i * datagram_buffer_octets, datagram_buffer_octets};
        msghdr& header = frame_->messages[i].msg_hdr;
        header = {};
        header.msg_name = &frame_->names[i];
        header.msg_namelen = sizeof(sockaddr_storage);
        header.msg_iov = &frame_->parts[i];
        header.msg_iovlen = 1;
        header.msg_control = frame_->controls[i].data();
        header.msg_controllen = control_octets;
    }
    int count = 0;
    do {
        count = ::recvmmsg(fd, frame_->messages.data(), batch_datagrams, MSG_DONTWAIT, nullptr);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) return 0;

    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        msghdr& header = frame_->messages[i].msg_hdr;
        const std::size_t length = frame_->messages[i].msg_len;
        if (length > page_octets) touched_ += length - page_octets;
        const auto from = to_endpoint(frame_->names[i]);
        if (!from) continue;
        received one{
            {buffers_ + i * datagram_buffer_octets, length}, *from, (header.msg_flags & MSG_TRUNC) != 0, {}};
        read_control(header, one);
        visit(one);
    }
    if (touched_ > keep_octets) release_large();
    return static_cast<std::size_t>(count);
}

void receive_batch::release_large() noexcept {
    for (std::size_t i = 0; i < batch_datagrams; ++i) {
        ::madvise(buffers_ + i * datagram_buffer_octets + page_octets, datagram_buffer_octets - page_octets,
                  MADV_DONTNEED);
    }
    touched_ = 0;
}

}  // namespace mbusd
