// Entities that no MBWS session hosts (participant.hpp): joining, sending, outcomes, observers.
#include "router/router.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "router/refusals.hpp"

namespace mbusd {
namespace {

using mbus::errc;
using mbus::mbws::entity_state;
using mbus::mbws::route_report;
using mbus::mbws::route_status;
using mbus::protocol::entity_handle;

}  // namespace

mbus::result<entity_handle> router::join(participant& host, const mbus::address& wanted, const joined_as& how) {
    if (stopping_) return {errc::shutting_down, "mbusd is stopping"};
    // So that an address can move from somebody who has just left.
    detach_withdrawn();
    auto handle = bus_->node().attach(bus_->now(), wanted, static_cast<std::uint32_t>(::getpid()), how.first_sequence);
    if (!handle) return std::move(handle).error();
    auto entity = std::make_unique<local_entity>();
    entity->handle = *handle;
    entity->host = &host;
    entity->address = *bus_->node().address_of(*handle);
    entity->since = bus_->now().now;
    entity->type = how.type;
    entity->commands = how.commands;
    entity->kept = how.kept;
    entity->sender = std::make_unique<mbus::mbws::attachment>();
    entity->sender->entity = entity->address;
    entity->sender->handle = static_cast<std::uint64_t>(*handle);
    entity->sender->active = true;
    const auto address = entity->address;
    entities_.emplace(static_cast<std::uint32_t>(*handle), std::move(entity));
    bus_->schedule_flush();
    tell_watchers(address, entity_state::joined, true, &host);
    return *handle;
}

void router::leave(entity_handle handle) { withdraw(static_cast<std::uint64_t>(handle)); }

route_status router::send(mbus::mbws::time_point now, const outgoing_message& what, const granted_rights* rights,
                          route_report& report, outcome_handler done) {
    const auto* from = find_entity(what.from);
    if (from == nullptr || from->sender == nullptr) {
        return refuse(report, errc::no_entity, "the sender has left the bus");
    }
    mbus::mbws::routed_message message{.reliable = what.reliable,
                                       .receipt_wanted = what.receipt_wanted,
                                       .to = what.to,
                                       .from = from->sender.get(),
                                       .body = what.body,
                                       .time = what.time,
                                       .ttl = what.ttl};
    if (what.ttl != 0) message.expires = now + std::chrono::milliseconds{what.ttl};
    if (mbus::mbws::is_command_type(what.type)) {
        auto found = mbus::mbws::check_commands(what.body);
        if (!found) return refuse(report, errc::bad_command, std::move(found).error().text);
        message.commands = *found;
    } else if (mbus::mbws::is_media_type(what.type)) {
        message.type = what.type;
    } else {
        return refuse(report, errc::bad_command, "type must be a media type such as image/png");
    }
    hand_over();
    const auto* way = routes_.find(what.to, bus_->node());
    if (way == nullptr) {
        ++counters_.refused_address;
        return refuse(report, errc::bad_address, routes_.fault().text);
    }
    message_forms forms{preparer_,
                        {.to = what.to,
                         .from = from->address.text(),
                         .type = message.type,
                         .body = what.body,
                         .first_command = message.commands.first_command,
                         .time = what.time != 0 ? what.time : bus_->now().wall_ms,
                         .reliable = what.reliable,
                         .has_ping = message.commands.has_ping,
                         .ttl = what.ttl,
                         .serial = ++last_serial_,
                         .via = what.via,
                         .origin = what.origin}};
    const auto mark = stored_mark();
    const routing job{.now = now, .sender = nullptr, .rights = rights, .what = message, .way = *way, .forms = forms,
                      .came_over = what.came_over, .done = &done};
    const auto status = route_one(job, report);
    return when_stored(job, mark, status, report);
}

route_status router::reliable_to_participant(const routing& job, local_entity& to, route_report& report) {
    const auto ticket = open_ticket(job, report.matched);
    offering_ = ticket;
    const auto answer = to.host->offer(job.now, to, job.forms, {.expires = job.what.expires}, ticket);
    offering_ = 0;
    auto at_once = std::exchange(settled_at_once_, std::nullopt);
    if (answer == acceptance::later && !at_once) return route_status::receipt_later;
    pending_.erase(ticket);
    if (at_once) {
        report = std::move(*at_once);
        return route_status::routed;
    }
    if (answer == acceptance::taken) {
        ++counters_.delivered;
        return route_status::routed;
    }
    report.failed = true;
    if (answer == acceptance::too_large) {
        ++counters_.too_large_for_client;
        report.code = errc::too_large;
        report.text = fmt::format("the message is larger than {} takes; send less", to.address.text());
    } else {
        ++counters_.overflowed;
        report.code = errc::overflow;
        report.text = fmt::format("the queue of {} is full; send less or slower", to.address.text());
    }
    return route_status::routed;
}

void router::settle(delivery_ticket ticket, const route_report& report) {
    if (ticket != 0 && ticket == offering_) {
        settled_at_once_ = report;
        return;
    }
    const auto found = pending_.find(ticket);
    if (found == pending_.end()) return;
    auto waiting = std::move(found->second);
    pending_.erase(found);
    finish(std::move(waiting), report);
}

std::shared_ptr<const peer_identity> router::speaker_of(const mbus::address& who) const {
    for (const auto handle : bus_->node().match(who).local) {
        const auto found = entities_.find(static_cast<std::uint32_t>(handle));
        if (found == entities_.end() || found->second->gone || found->second->address != who) continue;
        const auto& entity = *found->second;
        if (entity.owner != nullptr) return entity.owner->who;
        return entity.host == nullptr ? nullptr : entity.host->speaker(entity);
    }
    return nullptr;
}

void router::for_each_known(entity_observer& observer) const {
    observer.entity_changed(own_.address, entity_state::present, true, nullptr);
    for (const auto& [handle, entity] : entities_) {
        observer.entity_changed(entity->address, entity_state::present, true, entity->host);
    }
    bus_->node().for_each_peer([&](const mbus::protocol::peer_view& peer) {
        observer.entity_changed(*peer.address, entity_state::present, false, nullptr);
    });
}

}  // namespace mbusd
