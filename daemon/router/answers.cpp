// Requests to the daemon's own entity, and their replies on the way back.
#include "router/router.hpp"

#include <mbus/command.hpp>

namespace mbusd {
namespace {

constexpr std::string_view request_prefix = "mbusd.";

// "()" reaches us too, and is hardly ever meant for us: look no further than the first name.
bool may_hold_requests(std::string_view first_command, bool addressed) noexcept {
    return addressed || first_command.starts_with(request_prefix);
}

}  // namespace

void router::each_entity(const std::function<void(const local_entity&)>& visit) const {
    visit(own_);
    for (const auto& [handle, entity] : entities_) visit(*entity);
}

void router::answer_local(const routing& job) {
    const auto& what = job.what;
    if (!what.type.empty() || !may_hold_requests(what.commands.first_command, !job.way.to.empty())) return;
    auto* caller = find_entity(static_cast<mbus::protocol::entity_handle>(what.from->handle));
    if (caller == nullptr || caller == &own_) return;
    // Whoever has left by then gets no answer.
    const auto later = [this, handle = caller->handle, whose = caller->address](const mbus::command& reply) {
        auto* still = find_entity(handle);
        if (!stopping_ && still != nullptr && still->address == whose) reply_to(*still, reply);
    };
    for (const auto& reply : administration_.answer(what.body, job.rights, later)) reply_to(*caller, reply);
}

void router::reply_to(local_entity& caller, const mbus::command& reply) {
    auto body = mbus::format_commands(std::span{&reply, 1});
    if (!body) return;
    ++counters_.requests_answered;
    message_forms forms{preparer_,
                        {.to = caller.address.text(),
                         .from = own_.address.text(),
                         .type = {},
                         .body = *body,
                         .first_command = reply.name,
                         .time = bus_->now().wall_ms,
                         .reliable = false,
                         .has_ping = false,
                         .serial = ++last_serial_}};
    const auto at = bus_->now().now;
    offer(at, caller, forms, {});
    if (!monitors_.empty()) copy_to_monitors(at, forms, own_.address, caller.address);
}

// Other hosts get no facts, but they are told so.
void router::answer_remote(const mbus::protocol::inbound& what) {
    if (!may_hold_requests(what.first_command, !what.header.destination.empty())) return;
    for (const auto& reply : administration_.answer(what.payload, nullptr)) {
        ++counters_.requests_refused;
        if (refusals_.size() >= refusals_max) return;
        auto body = mbus::format_commands(std::span{&reply, 1});
        if (body) refusals_.push_back({what.header.source, std::move(*body)});
    }
    work_later();
}

// The engine may not be called from inside its own events, so refusals leave at the end of the turn.
void router::send_refusals() {
    for (const auto& [to, body] : std::exchange(refusals_, {})) {
        const mbus::protocol::send_request request{.from = own_.handle,
                                                   .destination = &to,
                                                   .payload = body,
                                                   .commands = 1,
                                                   .reliable = false,
                                                   .may_coalesce = true,
                                                   .token = 0};
        if (auto put = bus_->node().transmit(bus_->now(), request); put) bus_->schedule_flush();
    }
}

}  // namespace mbusd
