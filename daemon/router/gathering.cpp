// Messages that follow each other from one sender to the same receivers go to each of them in one piece
// (mbws/message_run.hpp): per message and receiver nothing is left to be done.
#include <algorithm>

#include "protocol/invariant.hpp"
#include "router/refusals.hpp"
#include "router/router.hpp"

namespace mbusd {

using mbus::mbws::message_run;
using mbus::mbws::offer_result;
using mbus::mbws::route_report;
using mbus::mbws::route_status;
using mbus::protocol::invariant;

// True: the message is in the run, or was refused; `status` and `report` say which. What the bus gets, it gets
// at once.
bool router::gather(const routing& job, route_status& status, route_report& report) {
    const auto& what = job.what;
    const bool plain = !what.reliable && !what.receipt_wanted && what.ttl == 0 && what.type.empty() &&
                       !what.commands.has_ping && what.body.size() <= message_run::body_octets_max;
    const bool same = gathered_.way == job.way.serial && gathered_.sender == what.from->handle &&
                      gathered_.session == job.sender->id;
    const bool goes_on = same && !run_is_long();
    if (!plain || !goes_on) hand_over();
    if (!plain || !(goes_on ? gathered_.possible : begin_run(job))) return false;
    gathered_.time = what.time;  // of those that repeat this one
    if (gathered_.to_bus) {
        if (auto put = put_on_bus(job, 0); !put) {
            ++(put.error().code == mbus::errc::too_large ? counters_.refused_size : counters_.refused_bus);
            status = refuse(report, put.error().code, std::move(put.error().text));
            return true;
        }
    }
    add_to_run(job.forms.source().time, what.body);
    ++counters_.routed;
    report.may_repeat = true;
    report.matched = static_cast<std::uint32_t>(gathered_.receivers.size() + job.way.remote);
    status = route_status::routed;
    return true;
}

// A message with the fields of the one before. What is not routine goes the whole way.
bool router::route_again(mbus::mbws::broker_session& session, std::string_view body,
                         const mbus::mbws::body_summary& commands) {
    if (gathered_.way == 0 || !gathered_.possible || gathered_.session != session.id()) return false;
    if (commands.has_ping || run_is_long() || body.size() > message_run::body_octets_max) return false;
    if (gathered_.to_bus && !put_on_bus_again(body, commands)) return false;
    add_to_run(gathered_.time != 0 ? gathered_.time : bus_->now().wall_ms, body);
    ++counters_.routed;
    return true;
}

// A run that is not long takes any message of this size. Where all receivers are elsewhere there is none.
void router::add_to_run(std::uint64_t time, std::string_view body) {
    if (gathered_.receivers.empty()) return;
    const bool added = run_.add(time, body);
    invariant(added);
}

// What the bus does not take goes the whole way, where it is refused.
bool router::put_on_bus_again(std::string_view body, const mbus::mbws::body_summary& commands) {
    if (commands.has_mbus_command) return false;
    const mbus::protocol::send_request request{
        .from = static_cast<mbus::protocol::entity_handle>(gathered_.sender),
        .destination = &gathered_.to,
        .payload = body,
        .commands = commands.commands,
        .bare_name_octets = commands.bare ? commands.first_command.size() : 0};
    if (!bus_->node().transmit(bus_->now(), request)) return false;
    bus_->schedule_flush();
    return true;
}

// So long that the next message begins another: receivers who wait for room hold their senders between runs, well
// before a queue is full.
bool router::run_is_long() const noexcept {
    const std::size_t octets = std::min(session_settings_.queue_octets_max / 8, message_run::octets_max - message_run::largest_frame);
    return run_.messages() >= std::max<std::size_t>(1, session_settings_.queue_messages_max / 8) || run_.frames().size() >= octets;
}

bool router::begin_run(const routing& job) {
    gathered_.session = job.sender->id;
    gathered_.sender = job.what.from->handle;
    gathered_.way = job.way.serial;
    gathered_.to_bus = !job.way.stays_here();
    if (gathered_.to_bus) gathered_.to = job.way.to;
    gathered_.sender_can_wait = job.what.sender_can_wait;
    const auto& source = job.forms.source();
    const bool allowed = job.rights == nullptr || job.rights->sends_anywhere() || !job.rights->refuses_send(job.way.to);
    gathered_.possible = allowed && monitors_.empty() && !job.sender->session->durable() && receivers_take_runs(job) &&
                         (gathered_.receivers.empty() || run_.begin(source.to, source.from));
    return gathered_.possible;
}

bool router::receivers_take_runs(const routing& job) {
    gathered_.receivers.clear();
    for (auto* entity : job.way.local) {
        if (gets_no_copy(job, *entity)) continue;
        if (entity->session == nullptr || entity->kept || !entity->type.empty() || !entity->commands.empty()) return false;
        if (!entity->session->takes_runs(entity->slot)) return false;
        gathered_.receivers.push_back(entity);
    }
    return gathered_.to_bus || !gathered_.receivers.empty();
}

void router::hand_over() {
    gathered_.way = 0;
    if (run_.messages() == 0) return;
    const auto now = bus_->now().now;
    auto& receivers = gathered_.receivers;
    // As much as if each message had brought its addresses.
    const auto octets = run_.frames().size() + run_.messages() * run_.storage()->fields().size();
    // Who can't take the run comes last.
    const auto singly = std::partition(receivers.begin(), receivers.end(), [&](local_entity* each) {
        if (each->gone) return true;
        if (!each->session->can_take(run_, each->slot)) return false;
        if (!within_quota(now, *each->owner, octets)) return false;
        const mbus::mbws::delivery how{.slot = each->slot, .sender_can_wait = gathered_.sender_can_wait};
        if (each->session->offer_run(now, run_, how) == offer_result::wait) hold_sender(*each);
        sessions_.touch(*each->owner);
        counters_.delivered += run_.messages();
        return true;
    });
    if (singly != receivers.end()) hand_over_singly({singly, receivers.end()});
    run_.end();
    work_later();
}

void router::hold_sender(local_entity& receiver) {
    auto* const sender = sessions_.find(gathered_.session);
    if (sender == nullptr) return;
    receiver.owner->held_senders.push_back(sender->id);
    sender->session->hold();
}

// Slow readers, whose policies look at each message.
void router::hand_over_singly(std::span<local_entity* const> receivers) {
    const auto now = bus_->now().now;
    const auto to = run_.storage()->to_field().substr(mbus::mbws::field_head_octets);
    const auto from = run_.storage()->from_field().substr(mbus::mbws::field_head_octets);
    message_run::for_each(run_.frames(), [&](const message_run::message& one) {
        mbus::mbws::body_summary commands;
        invariant(!mbus::mbws::check_commands(one.body, commands));  // only what was checked is gathered
        message_forms forms{preparer_, {.to = to,
                                        .from = from,
                                        .type = {},
                                        .body = one.body,
                                        .first_command = commands.first_command,
                                        .time = one.time,
                                        .serial = ++last_serial_}};
        for (auto* entity : receivers) {
            if (entity->gone) continue;
            const mbus::mbws::delivery how{.sender_can_wait = gathered_.sender_can_wait};
            if (offer(now, *entity, forms, how) == offer_result::wait) hold_sender(*entity);
        }
    });
}

}  // namespace mbusd
