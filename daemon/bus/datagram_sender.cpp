#include "bus/datagram_sender.hpp"

#include <algorithm>
#include <bitset>
#include <cerrno>
#include <utility>

#include "bus/datagram_run.hpp"

namespace mbusd {
namespace {

using mbus::protocol::outgoing;
using mbus::protocol::time_point;

constexpr std::size_t index_of(ip_family family) { return family == ip_family::v4 ? 0 : 1; }

// What the kernel says when it can't cut (no checksums by the card before Linux 6.11, a packet that
// would be encrypted, a route with a smaller MTU) or does not know of it.
bool refuses_runs(int error) noexcept {
    return error == EIO || error == EINVAL || error == EMSGSIZE || error == ENOPROTOOPT ||
           error == EOPNOTSUPP;
}

std::size_t datagrams_of(const auto& messages) {
    std::size_t all = 0;
    for (const auto& each : messages) all += each.count;
    return all;
}

}  // namespace

datagram_sender::datagram_sender(std::uint16_t session_port, bool link_scope, hooks calls)
    : port_(session_port), link_scope_(link_scope), hooks_(std::move(calls)) {
    set_targets({});
}

void datagram_sender::set_targets(std::vector<group_target> targets) {
    lanes_.clear();
    unicast_.clear();
    // Which link directed unicast takes is the kernel's business: what fits into all of them.
    std::array<std::size_t, 2> fits{run_octets_max(ip_family::v4), run_octets_max(ip_family::v6)};
    for (auto& target : targets) {
        send_route route{target.destination, port_, target.interface_index};
        route.bind_to(target.interface_index, target.source);
        auto& least = fits[index_of(target.family)];
        least = std::min(least, target.payload_max);
        lanes_.push_back({std::move(target), route, nullptr});
    }
    for (auto& each : lanes_) each.counts = &counts_[each.target.interface_index];
    for (const auto family : {ip_family::v4, ip_family::v6}) {
        group_target anywhere;
        anywhere.family = family;
        anywhere.payload_max = fits[index_of(family)];
        unicast_.push_back({std::move(anywhere), send_route{ip_address{family, {}}, 0, 0}, nullptr});
    }
    // Starts the window anew: what some links have heard already, they drop as duplicates.
    window_ = 0;
    blocked_.reset();
}

std::size_t datagram_sender::send(datagram_span datagrams, time_point now) {
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

void datagram_sender::plan(datagram_span window) {
    window_ = window.size();
    done_ = {};
    for (auto& messages : plan_) messages.clear();
    // Stretches of group traffic go link by link, so that runs come about; directed unicast stays
    // where it stands between them.
    for (std::size_t first = 0; first < window.size();) {
        const bool group = window[first].group;
        std::size_t count = 1;
        const auto alike = [&](const outgoing& next) {
            return next.group == group && (group || next.to == window[first].to);
        };
        while (first + count < window.size() && alike(window[first + count])) ++count;
        if (group)
            plan_group(window, first, count);
        else
            plan_runs(window, first, count, unicast_[index_of(window[first].to.family)]);
        first += count;
    }
}

void datagram_sender::plan_group(datagram_span window, std::size_t first, std::size_t count) {
    std::bitset<window_max> somewhere;
    for (auto& way : lanes_) {
        // Of a stretch some may be unwanted here.
        for (std::size_t from = 0; from < count;) {
            std::size_t here = 0;
            while (from + here < count && wanted(window[first + from + here], way.target)) {
                count_oversized(way, window[first + from + here].datagram.size());
                somewhere.set(from + here++);
            }
            if (here > 0) plan_runs(window, first + from, here, way);
            from += here + 1;
        }
    }
    without_link_ += count - somewhere.count();
}

// `count` datagrams from `first` on, all to the same place.
void datagram_sender::plan_runs(datagram_span window, std::size_t first, std::size_t count, lane& way) {
    auto& messages = plan_[index_of(way.target.family)];
    const run_limits limits{way.target.payload_max, run_octets_max(way.target.family)};
    while (count > 0) {
        const auto joined = way.runs ? run_length(window.subspan(first, count), limits) : 1;
        messages.push_back({&way, first, joined});
        first += joined;
        count -= joined;
    }
}

void datagram_sender::count_oversized(const lane& way, std::size_t octets) {
    if (!link_scope_ || octets <= way.target.payload_max) return;
    ++oversized_;
    ++way.counts->oversized;
    hooks_.on_oversized(way.target, octets);
}

// False: the socket takes no more now.
bool datagram_sender::send_family(datagram_span window, ip_family family, time_point now) {
    auto& messages = plan_[index_of(family)];
    std::size_t& done = done_[index_of(family)];
    while (done < messages.size()) {
        const auto rest = std::span<const planned>{messages}.subspan(done);
        const int taken = send_some(window, rest, sockets_[index_of(family)]);
        if (taken > 0) {
            sent(rest.first(static_cast<std::size_t>(taken)));
            done += static_cast<std::size_t>(taken);
            blocked_.reset();
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            const bool run = rest.front().count > 1;
            failed(messages, done, errno);
            if (!run) ++done;
            continue;
        }
        if (!blocked_) {
            blocked_ = family;
            blocked_since_ = now;
        }
        if (now < stalled_at()) return false;
        stalled_ += datagrams_of(rest);
        done = messages.size();
        blocked_.reset();
    }
    return true;
}

// One sendmmsg, of as many messages as fit.
int datagram_sender::send_some(datagram_span window, std::span<const planned> messages, int fd) {
    batch_->clear();
    for (const auto& each : messages) {
        const auto datagrams = window.subspan(each.first, each.count);
        const auto& to = datagrams.front().to;
        const bool added =
            each.way->link() != nullptr
                ? batch_->add(each.way->route, datagrams)
                : batch_->add(send_route{address_of(to), to.port, to.interface_index}, datagrams);
        if (!added) break;
    }
    return batch_->send(fd);
}

void datagram_sender::sent(std::span<const planned> messages) {
    for (const auto& each : messages) {
        if (each.way->counts == nullptr) continue;
        each.way->counts->datagrams += each.count;
        group_sent_[index_of(each.way->target.family)] = true;
    }
}

bool datagram_sender::take_group_sent(ip_family family) noexcept {
    return std::exchange(group_sent_[index_of(family)], false);
}

// A run is not given up: its datagrams are tried one by one, and each has an error of its own, if any.
void datagram_sender::failed(std::vector<planned>& messages, std::size_t which, int error) {
    lane& way = *messages[which].way;
    if (messages[which].count > 1) {
        if (refuses_runs(error)) {
            way.runs = false;
            hooks_.on_runs_refused(way.link(), error);
        }
        return split(messages, which);
    }
    ++errors_;
    if (way.counts != nullptr) {
        ++way.counts->errors;
        way.counts->last_error = error;
    }
    hooks_.on_error(way.link(), error);
}

// The run, and those behind it that go where no runs are taken any more.
void datagram_sender::split(std::vector<planned>& messages, std::size_t which) {
    std::vector<planned> out{messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(which)};
    for (std::size_t at = which; at < messages.size(); ++at) {
        const auto& each = messages[at];
        if (at != which && each.way->runs) {
            out.push_back(each);
            continue;
        }
        for (std::size_t i = 0; i < each.count; ++i) out.push_back({each.way, each.first + i, 1});
    }
    messages = std::move(out);
}

}  // namespace mbusd
