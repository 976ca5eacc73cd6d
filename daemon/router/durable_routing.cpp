// Messages of durable sessions, and outcomes that wait for the store (docs/mbws.md, sections 3 and 4):
// what durable receivers and queues get is stored together with the number of the message; the rest is
// routed when that is written.
#include "router/router.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "router/durability.hpp"

namespace mbusd {
namespace {

using mbus::errc;
using mbus::mbws::route_report;
using mbus::mbws::route_status;
using mbus::mbws::routed_message;

bool outcome_wanted(const routed_message& what) noexcept {
    return what.number != 0 && (what.reliable || what.receipt_wanted);
}

}  // namespace

// A message that has to be routed further when it is stored. Owns its octets.
struct router::stored_message {
    std::uint64_t session = 0;
    std::uint64_t number = 0;
    bool reliable = false;
    bool receipt_wanted = false;
    std::uint32_t matched = 0;
    std::string to;
    std::string type;
    std::string body;
    std::uint64_t time = 0;
    std::uint32_t ttl = 0;
    mbus::mbws::time_point expires = mbus::mbws::never;
    mbus::mbws::attachment from;  // entity and handle
};

std::uint64_t router::stored_mark() noexcept {
    if (durable_ == nullptr) return 0;
    durable_->changes.step();
    return durable_->changes.position();
}

// The message of a session that is not durable has put something into the store: its sender hears of it
// when that is written.
route_status router::when_stored(const routing& job, std::uint64_t mark, route_status status, const route_report& report) {
    if (durable_ == nullptr || durable_->changes.position() == mark || status == route_status::refused) return status;
    const bool settled = status == route_status::routed;
    if (job.sender == nullptr) {
        if (!settled || job.done == nullptr || !*job.done || (!job.what.reliable && !job.what.receipt_wanted)) return status;
        durable_->changes.after([done = std::move(*job.done), report] { done(report); });
        return route_status::receipt_later;
    }
    const bool receipt = settled && outcome_wanted(job.what);
    const bool windowed = job.sender->session->window() != 0;
    if (!windowed && !receipt) return status;
    durable_->changes.after([this, id = job.sender->id, number = job.what.number, windowed, receipt, report] {
        auto* record = sessions_.find(id);
        if (record == nullptr) return;
        if (windowed) record->session->take_over(now(), number);
        if (receipt) record->session->receipt(number, report);
        touch(*record->session);
    });
    return windowed ? route_status::take_over_later : route_status::receipt_later;
}

// How many entities get the message, and whether some of them, or the bus, get it after the commit.
router::split router::split_of(const routing& job) const {
    split out{.rest = !job.way.stays_here() || job.what.commands.has_ping, .matched = job.way.remote};
    for (const auto* each : job.way.local) {
        if (gets_no_copy(job, *each)) continue;
        if (each != &own_ || !job.way.to.empty()) ++out.matched;
        out.rest |= !each->kept;
    }
    return out;
}

// Of a durable session. Its receipt, where it is known at once, is stored with the message.
route_status router::route_durable(const routing& job, route_report& report) {
    if (refused_by_rights(job, report)) return route_status::refused;
    const bool to_bus = job.what.reliable ? job.way.total() == 1 && job.way.remote == 1 : !job.way.stays_here();
    if (to_bus) {
        if (auto fits = fits_datagram(job); !fits) {
            ++counters_.refused_size;
            report.failed = true;
            report.code = fits.error().code;
            report.text = fits.error().text;
            return route_status::refused;
        }
    }
    if (!monitors_.empty()) copy_to_monitors(job.now, job.forms, job.what.from->entity, job.way.to);
    const auto parts = split_of(job);
    if (job.what.reliable) {
        // To one who keeps it, or to nobody: known at once.
        const auto* only = job.way.total() == 1 && job.way.remote == 0 ? job.way.local.front() : nullptr;
        if (job.way.total() != 1 || (only != nullptr && (only->kept || gets_no_copy(job, *only)))) {
            ++counters_.routed;
            return route_reliable(job, report);
        }
    } else {
        const mbus::mbws::delivery how{.expires = job.what.expires};
        for (auto* each : job.way.local) {
            if (each->kept && !gets_no_copy(job, *each)) offer(job.now, *each, job.forms, how);
        }
        report.matched = static_cast<std::uint32_t>(std::min<std::size_t>(parts.matched, UINT32_MAX));
    }
    if (!job.what.reliable && !parts.rest) {
        ++counters_.routed;
        return route_status::routed;
    }
    auto later = std::make_shared<stored_message>(stored_message{
        .session = job.sender->id, .number = job.what.number, .reliable = job.what.reliable,
        .receipt_wanted = job.what.receipt_wanted, .matched = report.matched, .to = std::string{job.what.to},
        .type = std::string{job.what.type}, .body = std::string{job.what.body},
        .time = job.what.time != 0 ? job.what.time : wall_ms(), .ttl = job.what.ttl, .expires = job.what.expires, .from = {}});
    later->from.entity = job.what.from->entity;
    later->from.handle = job.what.from->handle;
    durable_->sessions.owe(later->session, later->number, outcome_wanted(job.what));
    durable_->changes.after([this, later] { route_rest(*later); });
    return route_status::take_over_later;
}

// The message is stored: whoever does not keep it gets it now, and its sender the acknowledgement.
void router::route_rest(stored_message& what) {
    auto* sender = sessions_.find(what.session);
    if (sender == nullptr) {
        ++counters_.not_routed;  // the session ended meanwhile, and its entity left
        return;
    }
    routed_message message{.number = what.number, .reliable = what.reliable, .receipt_wanted = what.receipt_wanted,
                           .to = what.to, .from = &what.from, .type = what.type, .body = what.body, .time = what.time,
                           .ttl = what.ttl, .expires = what.expires};
    route_report report;
    auto status = route_status::refused;
    const auto* way = find_entity(mbus::protocol::entity_handle{static_cast<std::uint32_t>(what.from.handle)}) == nullptr
                          ? nullptr
                          : routes_.find(what.to, bus_->node());
    if (way == nullptr) {
        report.failed = true;
        report.code = errc::left;
        report.text = "the sending entity was detached before the message could be routed";
    } else {
        if (what.type.empty()) {
            if (auto found = mbus::mbws::check_commands(what.body)) message.commands = *found;
        }
        message_forms forms{preparer_, {.to = what.to, .from = what.from.entity.text(), .type = what.type, .body = what.body,
                                        .first_command = message.commands.first_command, .time = what.time,
                                        .reliable = what.reliable, .has_ping = message.commands.has_ping, .ttl = what.ttl,
                                        .serial = ++last_serial_}};
        const routing job{.now = now(), .sender = sender, .rights = sender->who->rights.get(), .what = message, .way = *way,
                          .forms = forms, .skip_kept = true};
        status = what.reliable ? route_reliable(job, report) : route_unreliable(job, report);
        if (!what.reliable) report.matched = what.matched;
    }
    ++(status == route_status::refused ? counters_.not_routed : counters_.routed);
    sender->session->take_over(now(), what.number);
    const bool wanted = outcome_wanted(message);
    if (wanted && status != route_status::receipt_later) {
        sender->session->receipt(what.number, report);
    } else if (!wanted) {
        durable_->sessions.routed(what.session, what.number);
    }
    touch(*sender->session);
}

}  // namespace mbusd
