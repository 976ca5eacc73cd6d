#include "bus/bus_driver.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "bus/bus_driver_parts.hpp"

namespace mbusd {
namespace {

namespace asio = boost::asio;
using mbus::protocol::instant;
using mbus::protocol::never;
using mbus::protocol::time_point;

// How long stop() waits for a full socket to take the bye.
constexpr int stop_wait_ms = 100;
constexpr int stop_attempts_max = 3;

instant read_clocks() {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::steady_clock::now(),
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(wall).count())};
}

mbus::protocol::node_options complete(mbus::protocol::node_options engine, const bus_links& links) {
    if (engine.host_id.empty()) engine.host_id = links.host_id();
    engine.session_port = links.options().port;
    engine.datagram_budget = links.datagram_budget();
    return engine;
}

}  // namespace

bus_driver::implementation::implementation(asio::io_context& io, bus_options options,
                                           mbus::protocol::node_options engine_options,
                                           mbus::protocol::envelope security,
                                           mbus::protocol::node_events& events, logger& journal)
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
    end->post(turn_end::step_of<&implementation::end_turn>(shared_from_this()));
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
        sockets->start([this, sockets](family_sockets::which socket) { readable(*sockets, socket); });
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

std::string_view bus_driver::interface_name(std::uint32_t index) const {
    return parts_->links.interface_name(index);
}

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
