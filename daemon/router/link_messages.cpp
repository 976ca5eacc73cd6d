// The way of messages over links (docs/mbws.md, section 9): out through the entities that are hosted
// for the other side, in through the router, and none of them twice.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "router/link_table.hpp"

namespace mbusd {
namespace {

using mbus::errc;
using mbus::mbws::link_message;
using mbus::mbws::link_session;
using mbus::mbws::offer_result;
using mbus::mbws::route_report;
using mbus::mbws::route_status;
using mbus::mbws::time_point;

// "ID,ID,ID"
bool names_broker(std::string_view via, std::string_view broker) noexcept {
    while (!via.empty()) {
        const auto comma = std::min(via.find(','), via.size());
        if (via.substr(0, comma) == broker) return true;
        via.remove_prefix(std::min(comma + 1, via.size()));
    }
    return false;
}

route_status answer(route_report& report, route_status status, errc code, std::string text) {
    report.failed = true;
    report.code = code;
    report.text = std::move(text);
    return status;
}

}  // namespace

// --- out ----------------------------------------------------------------------------------------

std::string link_table::next_origin() { return fmt::format("{}:{}", hub_.broker(), ++last_number_); }

// One frame for all links that the message goes over. Null when nothing of it may cross: it was all
// mbus.ping.
const mbus::mbws::message_ref* link_table::form_for_links(message_forms& forms) {
    if (prepared_serial_ == forms.serial() && prepared_) return &prepared_;
    const auto& source = forms.source();
    std::string_view body = source.body;
    if (source.type.empty()) {
        const auto* plain = forms.for_receiver({}, {});
        if (plain == nullptr) return nullptr;
        body = (*plain)->body();
    }
    const std::string origin = source.origin.empty() ? next_origin() : std::string{source.origin};
    const std::string via = source.via.empty() ? hub_.broker() : fmt::format("{},{}", source.via, hub_.broker());
    prepared_ = preparer_.prepare({.to = source.to,
                                   .from = source.from,
                                   .type = source.type,
                                   .time = source.time,
                                   .body = body,
                                   .first_command = source.first_command,
                                   .reliable = source.reliable,
                                   .ttl = source.ttl,
                                   .via = via,
                                   .origin = origin});
    prepared_serial_ = forms.serial();
    return prepared_ ? &prepared_ : nullptr;
}

acceptance hosted_link::offer(time_point now, local_entity& to, message_forms& forms,
                              const mbus::mbws::delivery& how, delivery_ticket ticket) {
    const auto& source = forms.source();
    // The other side routes it by `to`, so one copy is enough for all its entities.
    if (forms.serial() == last_serial_) return acceptance::taken;
    last_serial_ = forms.serial();
    const auto refuse = [&](errc code, std::string text) {
        if (ticket == 0) return source.reliable ? acceptance::refused : acceptance::dropped;
        route_report report;
        answer(report, route_status::routed, code, std::move(text));
        table_.hub_.settle(ticket, report);
        return acceptance::later;
    };
    if (names_broker(source.via, session_.peer_broker())) return refuse(errc::conflict, "the message came from there");
    // What has a SeqNum came from the bus; everything of this host is shown already.
    if (!session_.attached(source.from) && !(source.sequence && table_.show_guest(now, *this, source.from))) {
        ++unseen_;
        return refuse(errc::forbidden, fmt::format("the sender does not take part over link {}; extend 'send' of its "
                                                   "[[link]] in mbusd.toml", name_));
    }
    const auto* ready = table_.form_for_links(forms);
    if (ready == nullptr) return acceptance::taken;
    const auto patience = source.ttl == 0 ? link_receipt_patience : std::chrono::milliseconds{source.ttl};
    const auto result = session_.offer(
        now, *ready, {.token = ticket, .expires = source.reliable ? now + patience : how.expires});
    switch (result) {
    case offer_result::taken:
    case offer_result::wait: return ticket == 0 ? acceptance::taken : acceptance::later;
    case offer_result::dropped: return acceptance::dropped;
    case offer_result::too_large: return acceptance::too_large;
    case offer_result::refused: break;
    }
    return refuse(errc::overflow, fmt::format("the queue of link {} is full, on the way to {}; send less or slower",
                                              name_, to.address.text()));
}

void link_table::link_outcome(time_point, link_session&, std::uint64_t token, const route_report& report) {
    hub_.settle(token, report);
}

// --- in -----------------------------------------------------------------------------------------

route_status link_table::link_route(time_point now, link_session& session, const link_message& what,
                                    route_report& report) {
    auto& link = owner_of(session);
    std::optional<message_origin> origin;
    if (!what.origin.empty()) {
        origin = parse_origin(what.origin);
        if (!origin) return answer(report, route_status::refused, errc::bad_frame, "origin is BROKER:NUMBER");
    }
    if (names_broker(what.via, hub_.broker()) || (origin && !origins_.first(now, *origin))) {
        ++loops_;
        return answer(report, route_status::routed, errc::conflict, "the message has been here before");
    }
    if (link.who_) {
        const auto to = mbus::address::parse(what.to);
        if (auto no = to ? link.who_->rights->refuses_send(*to) : std::nullopt) {
            return answer(report, route_status::refused, errc::forbidden, std::move(*no));
        }
    }
    const outgoing_message message{.from = static_cast<mbus::protocol::entity_handle>(what.from_handle),
                                   .to = what.to,
                                   .type = what.type,
                                   .body = what.body,
                                   .reliable = what.reliable,
                                   .receipt_wanted = what.receipt_wanted,
                                   .time = what.time,
                                   .ttl = what.ttl,
                                   .via = what.via,
                                   .origin = what.origin,
                                   .came_over = &link};
    // The link may be gone, or have another session, when the outcome is known.
    auto done = [this, id = link.id_, epoch = session.epoch(), number = what.number](const route_report& outcome) {
        const auto found = links_.find(id);
        if (found == links_.end() || found->second->session_.epoch() != epoch) return;
        found->second->session_.receipt(this->now(), number, outcome);
    };
    return hub_.send(now, message, nullptr, report, std::move(done));
}

}  // namespace mbusd
