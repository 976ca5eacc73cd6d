#include "bus/bus_driver.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "bus/bus_links.hpp"
#include "bus/datagram_sender.hpp"
#include "bus/family_watch.hpp"
#include "bus/receive_batch.hpp"

namespace mbusd {
namespace {

namespace asio = boost::asio;
using mbus::protocol::drop_reason;
using mbus::protocol::instant;
using mbus::protocol::never;
using mbus::protocol::time_point;

// Of one socket per turn: after that many datagrams (and the rest of the batch) the others have their say.
constexpr std::size_t datagrams_per_turn = 256;
// How long stop() waits for a full socket to take the bye.
constexpr int stop_wait_ms = 100;
constexpr int stop_attempts_max = 3;

instant read_clocks() {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::steady_clock::now(),
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(wall).count())};
}

// What was read in a turn.
struct taken {
    std::size_t datagrams = 0;
    std::size_t octets = 0;
};

mbus::protocol::node_options complete(mbus::protocol::node_options engine, const bus_links& links) {
    if (engine.host_id.empty()) engine.host_id = links.host_id();
    engine.session_port = links.options().port;
    engine.datagram_budget = links.datagram_budget();
    return engine;
}

}  // namespace

struct bus_driver::implementation : std::enable_shared_from_this<implementation> {
    implementation(asio::io_context& io, bus_options options, mbus::protocol::node_options engine_options,
                   mbus::protocol::envelope security, mbus::protocol::node_events& events, logger& journal)
        : context(io),
          log(journal),
          links(io, std::move(options), journal),
          identity(complete(std::move(engine_options), links)),
          engine(identity, std::move(security), events),
          families(main_family(links.options())),
          sender(links.options().port, links.options().scope == mbus::protocol::scope::link_local,
                 sender_hooks()),
          timer(io) {
        refresh_targets();
    }

    asio::io_context& context;
    logger& log;
    bus_links links;
    mbus::protocol::node_options identity;
    mbus::protocol::node engine;
    family_watch families;
    receive_batch batch;
    datagram_sender sender;
    asio::steady_timer timer;
    time_point armed = never;
    std::optional<instant> turn;  // the clocks, while a turn is open
    turn_end own_end{[this](turn_end::function what) { asio::post(context, std::move(what)); }};
    turn_end* end = &own_end;
    bool waiting_writable = false;
    bool started = false;
    bool stopped = false;
    bool loopback_heard = false;
    std::vector<mbus::protocol::endpoint> own_endpoints;  // as our group datagrams come back to us
    std::uint64_t kernel_drops = 0;

    [[nodiscard]] bool follows_families() const { return links.options().families == family_rule::automatic; }
    datagram_sender::hooks sender_hooks();
    instant open_turn() { return turn ? *turn : begin_turn(); }
    instant begin_turn();
    void end_turn();
    void flush(const instant& at);
    void wait_writable(ip_family family);
    void arm(time_point deadline);
    bool hear_own(const instant& at);
    void readable(family_sockets& sockets, family_sockets::which socket);
    bool read_batch(const instant& at, family_sockets& sockets, family_sockets::which socket, taken& sum);
    [[nodiscard]] bool is_own(const received& one) const;
    void take(const instant& at, const received& one, bool from_group);
    void count_kernel_drops(family_sockets& sockets, family_sockets::which socket, std::uint32_t total);
    void links_changed();
    void refresh_targets();
    void start();
    void stop();
};

datagram_sender::hooks bus_driver::implementation::sender_hooks() {
    return {
        .needs_other = [this](std::uint32_t link) { return families.needs_other(link); },
        .on_error =
            [this](const group_target* target, int error) {
                const std::string name = target == nullptr ? "unicast" : target->name;
                log.limited(level::warning, "send-failed/" + name,
                            "could not send on this interface; it is tried again with the next message",
                            {{"interface", name}, {"error", std::generic_category().message(error)}});
            },
        .on_oversized =
            [this](const group_target& target, std::size_t octets) {
                log.limited(
                    level::warning, "oversized/" + target.name,
                    "a message is larger than the link's packets and travels in fragments; send less at once",
                    {{"interface", target.name},
                     {"octets", std::to_string(octets)},
                     {"fits", std::to_string(target.payload_max)}});
            },
        .on_runs_refused =
            [this](const group_target* target, int error) {
                log.info("the kernel takes datagrams one by one only on this interface",
                         {{"interface", target == nullptr ? "unicast" : target->name},
                          {"error", std::generic_category().message(error)}});
            },
    };
}

// The first reading of a turn; its end is queued behind the handlers that are ready now.
instant bus_driver::implementation::begin_turn() {
    const auto at = read_clocks();
    if (stopped) return at;
    turn = at;
    end->post([self = shared_from_this()] { self->end_turn(); });
    return at;
}

void bus_driver::implementation::end_turn() {
    if (stopped || !turn) return;
    const auto at = *turn;
    flush(at);
    if (hear_own(at)) flush(at);
    turn.reset();
    auto deadline = engine.next_deadline();
    if (sender.blocked()) deadline = std::min(deadline, sender.stalled_at());
    arm(deadline);
}

void bus_driver::implementation::flush(const instant& at) {
    if (follows_families()) families.refresh(engine, at.now);
    for (;;) {
        const auto waiting = engine.transmits(at);
        if (waiting.empty()) return;
        const auto done = sender.send(waiting, at.now);
        const bool all = done == waiting.size();
        engine.transmitted(done);
        if (const auto family = sender.blocked()) {
            wait_writable(*family);
            return;
        }
        if (!all) return;
    }
}

void bus_driver::implementation::wait_writable(ip_family family) {
    auto* sockets = links.sockets(family);
    if (sockets == nullptr || std::exchange(waiting_writable, true)) return;
    sockets->when_writable([self = shared_from_this()] {
        self->waiting_writable = false;
        self->open_turn();
    });
}

// An earlier wake-up that is already set stays: it costs less than setting the timer every turn.
void bus_driver::implementation::arm(time_point deadline) {
    if (!started || deadline >= armed) return;
    armed = deadline;
    timer.expires_at(deadline);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& failure) {
        if (failure || self->stopped) return;
        self->armed = never;
        const auto at = self->open_turn();
        self->engine.advance(at);
    });
}

// The kernel has put what went to the group into our own group socket as well. Read now, it does not
// wake the loop for another turn. True: something was there.
bool bus_driver::implementation::hear_own(const instant& at) {
    taken sum;
    for (const auto family : {ip_family::v4, ip_family::v6}) {
        auto* sockets = links.sockets(family);
        if (sender.take_group_sent(family) && sockets != nullptr && started)
            read_batch(at, *sockets, family_sockets::which::group, sum);
    }
    return sum.datagrams > 0;
}

void bus_driver::implementation::readable(family_sockets& sockets, family_sockets::which socket) {
    turn_end::at_once now{*end};
    const auto at = open_turn();
    taken sum;
    bool more = true;
    while (more && sum.datagrams < datagrams_per_turn) more = read_batch(at, sockets, socket, sum);
    now.finish(sum.octets < small_read_octets);
}

// True: more may wait.
bool bus_driver::implementation::read_batch(const instant& at, family_sockets& sockets,
                                            family_sockets::which socket, taken& sum) {
    const bool group = socket == family_sockets::which::group;
    return batch.read(group ? sockets.group().fd() : sockets.endpoint().fd(), [&](const received& one) {
        ++sum.datagrams;
        sum.octets += one.datagram.size();
        if (one.kernel_drops) count_kernel_drops(sockets, socket, *one.kernel_drops);
        take(at, one, group);
    });
}

// Sent by us, from the address and port that nobody else on this host has. The first one, authentic
// by its MAC, has shown that they come back; the others need no look.
bool bus_driver::implementation::is_own(const received& one) const {
    return loopback_heard && std::ranges::find(own_endpoints, one.from) != own_endpoints.end();
}

void bus_driver::implementation::take(const instant& at, const received& one, bool from_group) {
    if (one.truncated) return engine.count_drop(drop_reason::truncated);
    if (from_group && is_own(one)) return engine.count_drop(drop_reason::own_echo);
    if (!links.accepts_source(one.from)) return engine.count_drop(drop_reason::not_local_host);
    const auto& counts = engine.counters();
    // Copies of authentic datagrams are dropped as duplicates, in the modern profile as replayed.
    const auto authentic_so_far = [&] {
        return counts.messages_in + counts.drops(drop_reason::duplicate) +
               counts.drops(drop_reason::replayed);
    };
    const auto echoes = counts.drops(drop_reason::own_echo);
    const auto authentic = authentic_so_far();
    engine.receive(at, one.datagram, one.from);
    if (!from_group) return;
    if (counts.drops(drop_reason::own_echo) != echoes)
        loopback_heard = true;
    else if (follows_families() && authentic_so_far() != authentic)
        families.heard(one.datagram, one.from);
}

void bus_driver::implementation::count_kernel_drops(family_sockets& sockets, family_sockets::which socket,
                                                    std::uint32_t total) {
    auto& known = sockets.kernel_drops[socket];
    const std::uint32_t lost = total - known;  // the kernel's counter wraps
    if (lost == 0) return;
    known = total;
    kernel_drops += lost;
    log.limited(
        level::warning, "kernel-drops",
        "the kernel dropped datagrams because the receive buffer was full; raise it: sysctl net.core.rmem_max=16777216",
        {{"datagrams", std::to_string(lost)}});
}

void bus_driver::implementation::links_changed() {
    if (stopped || !links.update()) return;
    refresh_targets();
    open_turn();
}

void bus_driver::implementation::refresh_targets() {
    const auto fd_of = [this](ip_family family) {
        auto* sockets = links.sockets(family);
        return sockets == nullptr ? -1 : sockets->endpoint().fd();
    };
    sender.set_sockets(fd_of(ip_family::v4), fd_of(ip_family::v6));
    own_endpoints.clear();
    for (const auto& target : links.targets()) {
        const auto port = links.sockets(target.family)->endpoint().port();
        own_endpoints.push_back({target.family, target.source.octets, port, target.interface_index});
    }
    sender.set_targets(links.targets());
    engine.set_datagram_budget(links.datagram_budget());
}

void bus_driver::implementation::start() {
    started = true;
    for (const auto family : {ip_family::v4, ip_family::v6}) {
        auto* sockets = links.sockets(family);
        if (sockets == nullptr) continue;
        sockets->start(
            [this, sockets](family_sockets::which socket) { readable(*sockets, socket); });
    }
    links.watch().start([this] { links_changed(); });
    open_turn();
}

void bus_driver::implementation::stop() {
    if (stopped) return;
    const auto at = read_clocks();
    engine.detach_all(at);
    flush(at);
    for (int attempt = 0; sender.blocked() && attempt < stop_attempts_max; ++attempt) {
        pollfd wait{links.sockets(*sender.blocked())->endpoint().fd(), POLLOUT, 0};
        ::poll(&wait, 1, stop_wait_ms);
        flush(read_clocks());
    }
    stopped = true;
    turn.reset();
    timer.cancel();
    links.close();
}

bus_driver::bus_driver(asio::io_context& context, bus_options options, mbus::protocol::node_options engine,
                       mbus::protocol::envelope security, mbus::protocol::node_events& events, logger& log)
    : parts_(std::make_shared<implementation>(context, std::move(options), std::move(engine),
                                              std::move(security), events, log)) {}

// Not stop(): whoever wants a bye asks for it. Handlers still queued keep the parts alive.
bus_driver::~bus_driver() {
    if (parts_->stopped) return;
    parts_->stopped = true;
    parts_->timer.cancel();
    parts_->links.close();
}

void bus_driver::start() { parts_->start(); }
void bus_driver::stop() { parts_->stop(); }

void bus_driver::set_interface_filter(std::vector<std::string> allow, std::vector<std::string> deny) {
    parts_->links.set_filter(std::move(allow), std::move(deny));
    parts_->links_changed();
}

instant bus_driver::now() { return parts_->open_turn(); }
void bus_driver::use(turn_end& end) { parts_->end = &end; }
void bus_driver::schedule_flush() { parts_->open_turn(); }
mbus::protocol::node& bus_driver::node() { return parts_->engine; }

std::string_view bus_driver::interface_name(std::uint32_t index) const { return parts_->links.interface_name(index); }

bus_status bus_driver::status() const {
    bus_status status;
    const auto& parts = *parts_;
    parts.links.describe(status);
    status.host_id = parts.identity.host_id;
    for (auto& link : status.interfaces) {
        const auto found = parts.sender.counts().find(link.index);
        if (found == parts.sender.counts().end()) continue;
        link.datagrams_out = found->second.datagrams;
        link.send_errors = found->second.errors;
        link.oversized = found->second.oversized;
        if (found->second.last_error != 0)
            link.last_error = std::generic_category().message(found->second.last_error);
    }
    status.send_errors = parts.sender.errors();
    status.oversized = parts.sender.oversized();
    status.without_link = parts.sender.without_link();
    status.stalled = parts.sender.stalled();
    status.kernel_drops = parts.kernel_drops;
    status.loopback_heard = parts.loopback_heard;
    return status;
}

}  // namespace mbusd
