#include "bus/datagram_sender.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bus/receive_batch.hpp"

namespace mbusd {
namespace {

using mbus::protocol::outgoing;
using mbus::protocol::time_point;

constexpr std::size_t index_of(ip_family family) { return family == ip_family::v4 ? 0 : 1; }

constexpr std::size_t control_octets = CMSG_SPACE(sizeof(in6_pktinfo));

// Binds one datagram to a link and a source address.
template <class Info>
std::size_t write_packet_info(char* control, int level, int type, const Info& info) {
    msghdr header{};
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(sizeof info);
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = level;
    part->cmsg_type = type;
    part->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(part), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
}

std::size_t write_packet_info(char* control, const group_target& target) {
    if (target.family == ip_family::v4) {
        in_pktinfo info{};
        info.ipi_ifindex = static_cast<int>(target.interface_index);
        info.ipi_spec_dst = to_in_addr(target.source);
        return write_packet_info(control, IPPROTO_IP, IP_PKTINFO, info);
    }
    in6_pktinfo info{};
    info.ipi6_ifindex = target.interface_index;
    info.ipi6_addr = to_in6_addr(target.source);
    return write_packet_info(control, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

}  // namespace

struct datagram_sender::batch {
    std::array<mmsghdr, batch_datagrams> messages;
    std::array<iovec, batch_datagrams> parts;
    std::array<socket_address, batch_datagrams> names;
    alignas(cmsghdr) std::array<std::array<char, control_octets>, batch_datagrams> controls;
};

void datagram_sender::set_targets(std::vector<group_target> targets) {
    targets_ = std::move(targets);
    // Starts the window anew: what some links have heard already, they drop as duplicates.
    window_ = 0;
    blocked_.reset();
}

std::size_t datagram_sender::send(std::span<const outgoing> datagrams, time_point now) {
    std::size_t finished = 0;
    while (finished < datagrams.size()) {
        const auto rest = datagrams.subspan(finished);
        if (window_ == 0 || window_ > rest.size()) plan(rest.first(std::min(rest.size(), window_max)));
        const auto window = rest.first(window_);
        if (!send_family(window, ip_family::v4, now) || !send_family(window, ip_family::v6, now))
            return finished;
        finished += window.size();
        window_ = 0;
    }
    return finished;
}

bool datagram_sender::wanted(const outgoing& one, const group_target& target) const {
    return one.presence || !target.presence_only || hooks_.needs_other(target.interface_index);
}

void datagram_sender::plan(std::span<const outgoing> window) {
    window_ = window.size();
    done_ = {};
    for (auto& items : plan_) items.clear();
    for (std::size_t i = 0; i < window.size(); ++i) {
        const outgoing& one = window[i];
        if (!one.group) {
            plan_[index_of(one.to.family)].push_back({i, nullptr});
            continue;
        }
        bool anywhere = false;
        for (const auto& target : targets_) {
            if (!wanted(one, target)) continue;
            anywhere = true;
            plan_[index_of(target.family)].push_back({i, &target});
            if (link_scope_ && one.datagram.size() > target.payload_max) {
                ++oversized_;
                ++counts_[target.interface_index].oversized;
                hooks_.on_oversized(target, one.datagram.size());
            }
        }
        if (!anywhere) ++without_link_;
    }
}

// False: the socket takes no more now.
bool datagram_sender::send_family(std::span<const outgoing> window, ip_family family, time_point now) {
    const auto& items = plan_[index_of(family)];
    std::size_t& done = done_[index_of(family)];
    const int fd = sockets_[index_of(family)];
    batch out;
    while (done < items.size()) {
        const std::size_t count = std::min(items.size() - done, batch_datagrams);
        for (std::size_t i = 0; i < count; ++i)
            fill(out, i, window[items[done + i].datagram], items[done + i]);
        const int sent =
            ::sendmmsg(fd, out.messages.data(), static_cast<unsigned>(count), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            for (int i = 0; i < sent; ++i, ++done) {
                if (items[done].target != nullptr) ++counts_[items[done].target->interface_index].datagrams;
            }
            blocked_.reset();
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            count_error(items[done], errno);
            ++done;
            continue;
        }
        if (!blocked_) {
            blocked_ = family;
            blocked_since_ = now;
        }
        if (now < stalled_at()) return false;
        stalled_ += items.size() - done;
        done = items.size();
        blocked_.reset();
    }
    return true;
}

void datagram_sender::fill(batch& into, std::size_t place, const outgoing& one, const item& what) const {
    into.names[place] =
        what.target == nullptr
            ? make_socket_address(address_of(one.to), one.to.port, one.to.interface_index)
            : make_socket_address(what.target->destination, port_, what.target->interface_index);
    // sendmmsg reads only; iovec has no const form.
    into.parts[place] = {const_cast<char*>(one.datagram.data()), one.datagram.size()};
    msghdr& header = into.messages[place].msg_hdr;
    header = {};
    header.msg_name = &into.names[place].storage;
    header.msg_namelen = into.names[place].length;
    header.msg_iov = &into.parts[place];
    header.msg_iovlen = 1;
    if (what.target == nullptr) return;
    header.msg_control = into.controls[place].data();
    header.msg_controllen = write_packet_info(into.controls[place].data(), *what.target);
}

void datagram_sender::count_error(const item& what, int error) {
    ++errors_;
    if (what.target != nullptr) {
        auto& counts = counts_[what.target->interface_index];
        ++counts.errors;
        counts.last_error = error;
    }
    hooks_.on_error(what.target, error);
}

}  // namespace mbusd
