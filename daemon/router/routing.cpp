// The way of a message through the router (docs/architecture.md, "The two walks").
#include "router/router.hpp"

#include <algorithm>
#include <utility>

#include <net/if.h>

#include <fmt/format.h>

#include "router/refusals.hpp"

namespace mbusd {
namespace {

using mbus::errc;
using mbus::mbws::offer_result;
using mbus::mbws::route_report;
using mbus::mbws::route_status;
using mbus::mbws::time_point;
using mbus::protocol::send_token;

// A reliable message that was routed, and failed.
route_status fail(route_report& report, errc code, std::string text) {
    report.failed = true;
    report.code = code;
    report.text = std::move(text);
    return route_status::routed;
}

std::string too_large_text(std::size_t octets) {
    return fmt::format("the message needs {} octets on the bus, and a datagram holds {}; send less, or to the full "
                       "address of an entity on this host", octets, mbus::datagram_octets_max);
}

std::uint32_t clamped(std::size_t count) noexcept {
    return static_cast<std::uint32_t>(std::min<std::size_t>(count, UINT32_MAX));
}

route_report report_of(const mbus::protocol::send_report& sent, std::uint32_t matched) {
    route_report out;
    out.matched = matched;
    out.tried = static_cast<std::uint8_t>(std::min(sent.transmissions, 255U));
    out.took = clamped(static_cast<std::size_t>(
        std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(sent.took).count())));
    out.entity = sent.by.empty() ? std::string{} : std::string{sent.by.text()};
    if (sent.acknowledged) return out;
    out.failed = true;
    out.code = sent.outcome;
    switch (sent.outcome) {
    case errc::not_acknowledged:
        out.text = fmt::format("no acknowledgement after {} transmissions; the receiver's daemon may be stopped, or the "
                               "link loses datagrams: run mbus doctor", sent.transmissions);
        break;
    case errc::left: out.text = "the receiver left before it acknowledged"; break;
    case errc::shutting_down: out.text = "mbusd is stopping"; break;
    default: out.text = "the message could not be delivered"; break;
    }
    return out;
}

}  // namespace

route_status router::route(time_point now, mbus::mbws::broker_session& session,
                           const mbus::mbws::routed_message& what, route_report& report) {
    auto* sender = sessions_.find(session.id());
    if (sender == nullptr) return refuse(report, errc::no_session, "the session has ended");
    const auto* way = routes_.find(what.to, bus_->node());
    if (way == nullptr) {
        ++counters_.refused_address;
        return refuse(report, errc::bad_address, routes_.fault().text);
    }
    message_forms forms{preparer_};
    auto& source = forms.describe();
    source.to = what.to;
    source.from = what.from->entity.text();
    source.type = what.type;
    source.body = what.body;
    source.first_command = what.commands.first_command;
    source.time = what.time != 0 ? what.time : bus_->now().wall_ms;
    source.reliable = what.reliable;
    source.has_ping = what.commands.has_ping;
    source.ttl = what.ttl;
    source.serial = ++last_serial_;
    const auto mark = stored_mark();
    const routing job{.now = now, .sender = sender, .rights = sender->who->rights.get(), .what = what, .way = *way,
                      .forms = forms};
    route_status gathered_status{};
    if (gathering_ && gather(job, gathered_status, report)) return gathered_status;
    if (session.durable()) return route_durable(job, report);
    const auto status = route_one(job, report);
    return when_stored(job, mark, status, report);
}

// A message of a session or of a participant.
route_status router::route_one(const routing& job, route_report& report) {
    if (refused_by_rights(job, report)) return route_status::refused;
    const auto status = job.what.reliable ? route_reliable(job, report) : route_unreliable(job, report);
    if (status == route_status::refused) return status;
    ++counters_.routed;
    if (!monitors_.empty()) copy_to_monitors(job.now, job.forms, job.what.from->entity, job.way.to);
    return status;
}

bool router::refused_by_rights(const routing& job, route_report& report) {
    if (job.rights == nullptr || job.rights->sends_anywhere()) return false;
    auto no = job.rights->refuses_send(job.way.to);
    if (!no) return false;
    ++counters_.refused_rights;
    refuse(report, errc::forbidden, std::move(*no));
    return true;
}

// Nothing goes to oneself (trap A3), to who has just left, or back over the link it came from.
bool router::gets_no_copy(const routing& job, const local_entity& to) noexcept {
    return to.handle == static_cast<mbus::protocol::entity_handle>(job.what.from->handle) || to.gone ||
           (job.came_over != nullptr && to.host == job.came_over) || (job.skip_kept && to.kept);
}

// --- to the bus ---------------------------------------------------------------------------------

mbus::result<void> router::put_on_bus(const routing& job, send_token token) {
    auto payload = job.forms.commands();
    if (!payload) return std::move(payload).error();
    auto& node = bus_->node();
    if (auto fits = fits_datagram(job); !fits) return fits;
    auto put = node.transmit(bus_->now(), bus_request(job, *payload, token));
    if (put) bus_->schedule_flush();
    return put;
}

mbus::protocol::send_request router::bus_request(const routing& job, std::string_view payload, send_token token) const {
    const auto& what = job.what;
    const bool opaque = !what.type.empty();
    return {
        .from = static_cast<mbus::protocol::entity_handle>(what.from->handle),
        .destination = &job.way.to,
        .payload = payload,
        .commands = opaque ? 1 : what.commands.commands,
        .reliable = what.reliable,
        .may_coalesce = !opaque && !what.receipt_wanted && what.ttl == 0 && !what.commands.has_mbus_command,
        .token = token,
        .bare_name_octets = !opaque && what.commands.bare ? what.commands.first_command.size() : 0};
}

// Only a long body can be too large, and measuring every message would cost.
mbus::result<void> router::fits_datagram(const routing& job) {
    auto payload = job.forms.commands();
    if (!payload) return std::move(payload).error();
    if (payload->size() <= mbus::datagram_octets_max / 2) return {};
    const auto octets = bus_->node().datagram_octets(bus_request(job, *payload, 0));
    if (octets > mbus::datagram_octets_max) return {errc::too_large, too_large_text(octets)};
    return {};
}

// What does not reach the bus pings entities of ours all the same: they say hello (RFC 3259, section
// 9.3). For what does, the engine sees to it.
void router::ping_ours(const routing& job) {
    bus_->node().ping(bus_->now(), static_cast<mbus::protocol::entity_handle>(job.what.from->handle), job.way.to);
    bus_->schedule_flush();
}

// --- unreliable ---------------------------------------------------------------------------------

route_status router::route_unreliable(const routing& job, route_report& report) {
    // The bus comes first: what it refuses must not be delivered anywhere.
    if (!job.way.stays_here()) {
        if (auto put = put_on_bus(job, 0); !put) {
            ++(put.error().code == errc::too_large ? counters_.refused_size : counters_.refused_bus);
            return refuse(report, put.error().code, std::move(put.error().text));
        }
    } else if (job.what.commands.has_ping) {
        ping_ours(job);
    }
    std::size_t matched = job.way.remote;
    const mbus::mbws::delivery how{.slot = 0,
                                   .monitor = false,
                                   .expires = job.what.expires,
                                   .sender_can_wait = job.what.sender_can_wait};
    for (auto* entity : job.way.local) {
        if (gets_no_copy(job, *entity)) continue;
        if (entity == &own_) {
            // The daemon takes part in every bus; only who addresses it means it.
            if (!job.way.to.empty()) ++matched;
            answer_local(job);
            continue;
        }
        ++matched;
        if (offer(job.now, *entity, job.forms, how) == offer_result::wait) {
            entity->owner->held_senders.push_back(job.sender->id);
            job.sender->session->hold();
        }
    }
    report.matched = clamped(matched);
    return route_status::routed;
}

// --- reliable -----------------------------------------------------------------------------------

route_status router::route_reliable(const routing& job, route_report& report) {
    const auto total = job.way.total();
    report.matched = clamped(total);
    if (total > 1) {
        ++counters_.not_unique;
        return fail(report, errc::not_unique,
                    fmt::format("{} entities match {}; a reliable message goes to exactly one: add elements, or send one "
                                "to each", total, job.way.to.text()));
    }
    if (job.way.remote == 1) return reliable_to_bus(job, report);
    if (total == 0 || gets_no_copy(job, *job.way.local.front())) {
        ++counters_.no_match;
        report.matched = 0;
        return fail(report, errc::no_match,
                    fmt::format("no {}entity matches {}; 'mbus peers' shows who is there", total == 0 ? "" : "other ",
                                job.way.to.text()));
    }
    return reliable_to_local(job, *job.way.local.front(), report);
}

// Into the receiver's queue, which is what "acknowledged" means: answered at once.
route_status router::reliable_to_local(const routing& job, local_entity& to, route_report& report) {
    ++counters_.reliable_local;
    report.tried = 1;
    report.entity = to.address.text();
    if (job.what.commands.has_ping) ping_ours(job);
    if (&to == &own_) {
        answer_local(job);
        return route_status::routed;
    }
    if (to.host != nullptr) return reliable_to_participant(job, to, report);
    const auto result = offer(job.now, to, job.forms,
                              {.slot = 0,
                               .monitor = false,
                               .expires = job.what.expires,
                               .sender_can_wait = job.what.sender_can_wait});
    switch (result) {
    case offer_result::taken:
    case offer_result::dropped: break;  // reliable ones are never dropped by policy
    case offer_result::wait:
        to.owner->held_senders.push_back(job.sender->id);
        job.sender->session->hold();
        break;
    case offer_result::refused:
        return fail(report, errc::overflow,
                    fmt::format("the queue of {} is full: it does not read fast enough; send less or slower",
                                to.address.text()));
    case offer_result::too_large:
        return fail(report, errc::too_large,
                    fmt::format("the message of {} octets is larger than {} takes; send less", job.what.body.size(),
                                to.address.text()));
    }
    return route_status::routed;
}

route_status router::reliable_to_bus(const routing& job, route_report& report) {
    const auto token = open_ticket(job, report.matched);
    sending_ = token;
    auto put = put_on_bus(job, token);
    sending_ = 0;
    auto at_once = std::exchange(ended_at_once_, std::nullopt);
    if (!put) {
        pending_.erase(token);
        ++(put.error().code == errc::too_large ? counters_.refused_size : counters_.refused_bus);
        return refuse(report, put.error().code, std::move(put.error().text));
    }
    ++counters_.reliable_bus;
    if (!at_once) return route_status::receipt_later;
    pending_.erase(token);
    report = report_of(*at_once, report.matched);
    return route_status::routed;
}

void router::sent(const mbus::protocol::send_report& report) {
    if (report.token != 0 && report.token == sending_) {
        ended_at_once_ = report;
        return;
    }
    const auto found = pending_.find(report.token);
    if (found == pending_.end()) return;
    auto waiting = std::move(found->second);
    pending_.erase(found);
    finish(std::move(waiting), report_of(report, waiting.matched));
}

// Engine tokens and participants' tickets are one sequence.
delivery_ticket router::open_ticket(const routing& job, std::uint32_t matched) {
    const auto ticket = ++last_token_;
    pending_send waiting{.number = job.what.number, .matched = matched};
    if (job.sender != nullptr) waiting.session = job.sender->id;
    if (job.done != nullptr) waiting.done = std::move(*job.done);
    pending_.emplace(ticket, std::move(waiting));
    return ticket;
}

void router::finish(pending_send waiting, const route_report& report) {
    if (waiting.done) {
        waiting.done(report);
        return;
    }
    auto* record = sessions_.find(waiting.session);
    if (record == nullptr) return;
    record->session->receipt(waiting.number, report);
    sessions_.touch(*record);
    work_later();
}

// --- to one session -----------------------------------------------------------------------------

offer_result router::offer(time_point now, local_entity& to, message_forms& forms, mbus::mbws::delivery how) {
    if (to.host != nullptr) {
        switch (to.host->offer(now, to, forms, how, 0)) {
        case acceptance::taken:
        case acceptance::later: ++counters_.delivered; return offer_result::taken;
        case acceptance::dropped: ++counters_.dropped_policy; return offer_result::dropped;
        case acceptance::refused: ++counters_.overflowed; return offer_result::refused;
        case acceptance::too_large: break;
        }
        ++counters_.too_large_for_client;
        return offer_result::too_large;
    }
    const auto* ready = forms.for_receiver(to.type, to.commands);
    if (ready == nullptr) {
        ++counters_.filtered;
        return offer_result::taken;
    }
    const bool no_disk = to.kept && !store_problem().empty();
    if (no_disk || !within_quota(now, *to.owner, (*ready)->frame_octets())) {
        if (!no_disk) count_over_quota(*to.owner);
        ++counters_.dropped_limit;
        if ((*ready)->reliable()) return offer_result::refused;
        to.session->dropped_by_host();
        return offer_result::dropped;
    }
    how.slot = to.slot;
    const auto result = to.session->offer(now, *ready, how);
    sessions_.touch(*to.owner);
    work_later();
    switch (result) {
    case offer_result::taken:
    case offer_result::wait: ++counters_.delivered; break;
    case offer_result::dropped: ++counters_.dropped_policy; break;
    case offer_result::refused: ++counters_.overflowed; break;
    case offer_result::too_large: ++counters_.too_large_for_client; break;
    }
    return result;
}

// Adds `octets` to what waits for the receiver's user; false when that would be too much.
bool router::within_quota(time_point now, session_record& receiver, std::size_t octets) {
    auto& account = *receiver.account;
    const auto limit = configuration_.values.limits.queue_octets_per_user;
    if (account.queued_octets + octets > limit && account.measured != now) {
        account.measured = now;
        account.queued_octets = 0;
        sessions_.for_each([&](session_record& each) {
            if (each.account.get() != &account) return;
            account.queued_octets += each.session->queued_octets() + connections_.waiting(each.connection);
        });
    }
    if (account.queued_octets + octets > limit) return false;
    account.queued_octets += octets;
    return true;
}

// What within_quota() said no to is dropped.
void router::count_over_quota(session_record& receiver) {
    auto& account = *receiver.account;
    const auto limit = configuration_.values.limits.queue_octets_per_user;
    ++account.dropped;
    log_.limited(level::warning, "quota/" + account.name, "messages dropped: too much waits for one user",
                 {{"user", account.name}, {"limit", std::to_string(limit)}, {"setting", "limits.queue_octets_per_user"}});
}

void router::copy_to_monitors(time_point now, message_forms& forms, const mbus::address& from,
                              const mbus::address& to) {
    // By index: a monitor that is disconnected by its policy leaves the list.
    for (std::size_t i = 0; i < monitors_.size();) {
        auto& each = *monitors_[i];
        const auto* ready = from.answers_to(each.pattern) || to.answers_to(each.pattern)
                                ? forms.for_receiver(each.type, each.commands)
                                : nullptr;
        if (ready != nullptr && !within_quota(now, *each.owner, (*ready)->frame_octets())) {
            count_over_quota(*each.owner);
            ++counters_.dropped_limit;
            each.session->dropped_by_host();  // a copy, so nobody waits for its acknowledgement
        } else if (ready != nullptr) {
            if (each.session->durable() && !store_problem().empty()) each.session->dropped_by_host();
            else each.session->offer(now, *ready, {.slot = each.slot, .monitor = true});
            sessions_.touch(*each.owner);
            work_later();
            ++counters_.monitor_copies;
        }
        if (i < monitors_.size() && monitors_[i].get() == &each) ++i;
    }
}

// --- from the bus -------------------------------------------------------------------------------

message_forms& router::forms_of(const std::shared_ptr<const mbus::protocol::inbound>& what) {
    if (inbound_ != what || !inbound_forms_) {
        inbound_ = what;
        const auto& header = what->header;
        // The kernel allows any octets in a name; 15 of them at most.
        if (const auto name = bus_->interface_name(what->interface_index); name != interface_name_) {
            interface_name_ = name;
            inbound_interface_ = mbus::mbws::make_field_text(name, IFNAMSIZ);
        }
        inbound_forms_.emplace(preparer_,
                               message_source{.to = header.destination.text(),
                                              .from = header.source.text(),
                                              .type = {},
                                              .body = what->payload,
                                              .first_command = what->first_command,
                                              .time = header.timestamp,
                                              .sequence = header.sequence_number,
                                              .interface = inbound_interface_,
                                              .reliable = header.type == mbus::message_type::reliable,
                                              .has_ping = false,
                                              .serial = ++last_serial_});
        work_later();  // which lets go of it
    }
    return *inbound_forms_;
}

bool router::deliver(mbus::protocol::entity_handle to, const std::shared_ptr<const mbus::protocol::inbound>& what) {
    if (to == own_.handle) {
        answer_remote(*what);
        return true;
    }
    auto* entity = find_entity(to);
    if (entity == nullptr) return false;
    stored_mark();  // a message begins
    const auto result = offer(bus_->now().now, *entity, forms_of(what), {});
    return result != offer_result::refused && result != offer_result::too_large;
}

void router::observed(const std::shared_ptr<const mbus::protocol::inbound>& what) {
    if (monitors_.empty()) return;
    copy_to_monitors(bus_->now().now, forms_of(what), what->header.source, what->header.destination);
}

}  // namespace mbusd
