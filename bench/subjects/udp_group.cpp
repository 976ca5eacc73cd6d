#include "subjects/udp_group.hpp"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <stdexcept>

namespace bench {
namespace {

constexpr auto group = "239.255.77.77";
constexpr std::uint16_t ports[] = {47771, 47772};  // in a network namespace of the measurement
constexpr int receive_buffer_octets = 4 * 1024 * 1024;
// Octets of one segmented send: a datagram's limit.
constexpr std::size_t segmented_octets_max = 65'000;

template <class T>
void option(int socket, int level, int name, const T& value) {
    if (::setsockopt(socket, level, name, &value, sizeof value) != 0)
        throw std::runtime_error(std::string{"setsockopt: "} + std::strerror(errno));
}

}  // namespace

udp_group::udp_group(side mine, std::size_t message_octets, bool segmented)
    : message_(message_octets),
      segmented_(segmented),
      socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    constexpr std::array<std::byte, 20> key{};
    mac_ = mbus::protocol::make_keyed_mac(mbus::protocol::hash_algorithm::hmac_sha1_96, key);
    datagram_ = message_ + mac_->octets();
    out_.resize(datagram_ * run_max);
    in_.assign(segmented ? 16 : run_max, std::vector<char>(segmented ? 65'536 : datagram_));
    lengths_.resize(in_.size());

    const auto own = ports[static_cast<std::size_t>(mine)];
    const auto other = ports[1 - static_cast<std::size_t>(mine)];
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(own);
    to_ = here;
    to_.sin_port = htons(other);
    ::inet_pton(AF_INET, group, &to_.sin_addr);
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
        throw std::runtime_error("bind");
    ip_mreqn join{};
    join.imr_multiaddr = to_.sin_addr;
    option(socket_, IPPROTO_IP, IP_ADD_MEMBERSHIP, join);
    option(socket_, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
    option(socket_, SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer_octets);
    if (segmented) {
        option(socket_, SOL_UDP, UDP_SEGMENT, static_cast<int>(datagram_));
        option(socket_, SOL_UDP, UDP_GRO, 1);
    }
}

udp_group::~udp_group() { ::close(socket_); }

void udp_group::send(std::string_view messages) {
    const auto most = segmented_ ? std::min(run_max, segmented_octets_max / datagram_) : run_max;
    while (!messages.empty()) {
        const auto count = std::min(messages.size() / message_, most);
        for (std::size_t index = 0; index < count; ++index) {
            char* const at = out_.data() + index * datagram_;
            const auto one = messages.substr(index * message_, message_);
            mac_->compute(one, reinterpret_cast<std::byte*>(at));
            std::memcpy(at + mac_->octets(), one.data(), message_);
        }
        if (segmented_)
            send_segmented(count * datagram_);
        else
            send_single(count);
        messages.remove_prefix(count * message_);
    }
}

void udp_group::send_single(std::size_t count) {
    std::array<mmsghdr, run_max> all{};
    std::array<iovec, run_max> pieces{};
    for (std::size_t index = 0; index < count; ++index) {
        pieces[index] = {out_.data() + index * datagram_, datagram_};
        all[index].msg_hdr.msg_name = &to_;
        all[index].msg_hdr.msg_namelen = sizeof to_;
        all[index].msg_hdr.msg_iov = &pieces[index];
        all[index].msg_hdr.msg_iovlen = 1;
    }
    for (std::size_t sent = 0; sent < count;) {
        const int now = ::sendmmsg(socket_, all.data() + sent, static_cast<unsigned>(count - sent), 0);
        if (now <= 0) throw std::runtime_error(std::string{"sendmmsg: "} + std::strerror(errno));
        sent += static_cast<std::size_t>(now);
    }
}

void udp_group::send_segmented(std::size_t octets) {
    if (::sendto(socket_, out_.data(), octets, 0, reinterpret_cast<const sockaddr*>(&to_), sizeof to_) < 0)
        throw std::runtime_error(std::string{"sendto: "} + std::strerror(errno));
}

std::size_t udp_group::wait_and_read(std::chrono::milliseconds limit) {
    if (limit.count() > 0) {
        pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, static_cast<int>(limit.count())) != 1) return 0;
    }
    std::array<mmsghdr, run_max> all{};
    std::array<iovec, run_max> pieces{};
    for (std::size_t index = 0; index < in_.size(); ++index) {
        pieces[index] = {in_[index].data(), in_[index].size()};
        all[index].msg_hdr.msg_iov = &pieces[index];
        all[index].msg_hdr.msg_iovlen = 1;
    }
    const int got = ::recvmmsg(socket_, all.data(), static_cast<unsigned>(in_.size()), MSG_DONTWAIT, nullptr);
    for (int index = 0; index < got; ++index)
        lengths_[static_cast<std::size_t>(index)] = all[static_cast<std::size_t>(index)].msg_len;
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

std::string_view udp_group::checked(std::size_t run, std::size_t at) {
    const char* const datagram = in_[run].data() + at;
    const std::string_view message{datagram + mac_->octets(), message_};
    std::array<std::byte, mbus::protocol::mac_octets_max> digest{};
    mac_->compute(message, digest.data());
    return std::memcmp(digest.data(), datagram, mac_->octets()) == 0 ? message : std::string_view{};
}

}  // namespace bench
