#include "bus/netlink_watch.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "runtime/unique_fd.hpp"

namespace mbusd {
namespace {

// The kernel writes dumps in pieces of at most 32 KiB.
constexpr std::size_t read_octets = 32 * 1024;
// A dump that was disturbed by a change is repeated; a host that never rests is taken as it is.
constexpr int dump_attempts_max = 8;
// Room for the events of a few hundred containers that start at once.
constexpr int event_buffer_octets = 1024 * 1024;

using read_buffer = std::array<std::byte, read_octets>;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

unique_fd open_netlink(std::uint32_t groups, int flags) {
    unique_fd fd{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE)};
    if (!fd) fail("no netlink socket; is AF_NETLINK allowed (RestrictAddressFamilies=)?");
    sockaddr_nl name{};
    name.nl_family = AF_NETLINK;
    name.nl_groups = groups;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
        fail("cannot follow the network interfaces (netlink)");
    return fd;
}

enum class dump_end { more, done, disturbed };

// How the dump stands after these messages.
dump_end end_of(std::span<const std::byte> messages) {
    auto state = dump_end::more;
    while (messages.size() >= sizeof(nlmsghdr)) {
        nlmsghdr header{};
        std::memcpy(&header, messages.data(), sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > messages.size()) break;
        if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) state = dump_end::disturbed;
        if (header.nlmsg_type == NLMSG_DONE) return state == dump_end::disturbed ? state : dump_end::done;
        if (header.nlmsg_type == NLMSG_ERROR) {
            nlmsgerr failure{};
            if (header.nlmsg_len >= NLMSG_LENGTH(sizeof failure))
                std::memcpy(&failure, messages.data() + NLMSG_HDRLEN, sizeof failure);
            errno = -failure.error;
            fail("the kernel refused to list the network interfaces (netlink)");
        }
        messages = messages.subspan(std::min<std::size_t>(messages.size(), NLMSG_ALIGN(header.nlmsg_len)));
    }
    return state;
}

// One dump request and its whole answer. False: disturbed, do it again.
bool dump(int fd, std::uint16_t request_type, interface_table& table) {
    struct {
        nlmsghdr header;
        rtgenmsg body;
    } request{};
    request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.body);
    request.header.nlmsg_type = request_type;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.rtgen_family = AF_UNSPEC;
    if (::send(fd, &request, request.header.nlmsg_len, 0) < 0)
        fail("cannot ask for the network interfaces (netlink)");

    bool disturbed = false;
    for (;;) {
        read_buffer buffer;
        const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fail("cannot read the network interfaces (netlink)");
        const std::span<const std::byte> messages{buffer.data(), static_cast<std::size_t>(got)};
        table.apply(messages);
        const auto state = end_of(messages);
        disturbed |= state == dump_end::disturbed;
        if (state == dump_end::done) return !disturbed;
        // NLMSG_DONE may come with the mark of a disturbed dump.
        nlmsghdr last{};
        std::memcpy(&last, messages.data(), sizeof last);
        if (last.nlmsg_type == NLMSG_DONE) return false;
    }
}

}  // namespace

netlink_watch::netlink_watch(boost::asio::io_context& context, interface_table& table, logger& log)
    : table_(table), log_(log), events_(context) {
    unique_fd fd = open_netlink(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, SOCK_NONBLOCK);
    const int octets = event_buffer_octets;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    events_.assign(fd.release());
}

void netlink_watch::read_all() {
    // A socket of its own keeps the answer apart from the events.
    const unique_fd fd = open_netlink(0, 0);
    for (int attempt = 0; attempt < dump_attempts_max; ++attempt) {
        table_.clear();
        const bool links_complete = dump(fd.get(), RTM_GETLINK, table_);
        if (dump(fd.get(), RTM_GETADDR, table_) && links_complete) return;
    }
}

void netlink_watch::start(std::function<void()> changed) {
    changed_ = std::move(changed);
    wait();
}

void netlink_watch::stop() {
    boost::system::error_code ignored;
    *open_ = false;
    events_.close(ignored);
}

void netlink_watch::wait() {
    events_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this, open = open_](const boost::system::error_code& failure) {
                           // After stop() `this` may be gone.
                           if (failure || !*open) return;
                           if (drain()) changed_();
                           if (*open) wait();
                       });
}

bool netlink_watch::drain() {
    bool changed = false;
    for (;;) {
        read_buffer buffer;
        const auto got = ::recv(events_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got > 0) {
            changed |= table_.apply({buffer.data(), static_cast<std::size_t>(got)});
        } else if (got < 0 && errno == EINTR) {
            continue;
        } else if (got < 0 && errno == ENOBUFS) {
            ++overruns_;
            log_.limited(level::notice, "netlink-overrun",
                         "the kernel reported more interface changes than fit; reading all anew");
            try {
                read_all();
            } catch (const std::system_error& failure) {
                log_.limited(level::warning, "netlink-dump",
                             "cannot list the network interfaces; the next change tries again",
                             {{"error", failure.what()}});
            }
            changed = true;
        } else {
            return changed;
        }
    }
}

}  // namespace mbusd
