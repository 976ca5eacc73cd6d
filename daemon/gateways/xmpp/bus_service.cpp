#include "gateways/xmpp/bus_service.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "gateways/xmpp/bus_commands.hpp"
#include "gateways/xmpp/namespaces.hpp"

namespace mbusd::xmpp {
namespace {

using mbus::errc;
using mbus::mbws::route_report;
using mbus::mbws::route_status;
using xml::element;

// What chat programs send along that is no message: typing notifications and the like.
constexpr std::array<std::string_view, 3> notifications{"http://jabber.org/protocol/chatstates", ns::receipts, "urn:xmpp:chat-markers:0"};

bool is_notification(const element& message) {
    const auto parts = message.elements();
    return !parts.empty() && std::ranges::any_of(parts, [](const element* each) {
        return std::ranges::find(notifications, each->space()) != notifications.end() && each->name() != "request";
    });
}

// RFC 6120, section 8.3.3.
stanza_fault fault_of(errc code) {
    switch (code) {
    case errc::bad_address: return {"modify", "jid-malformed"};
    case errc::bad_command:
    case errc::bad_value:
    case errc::bad_argument:
    case errc::syntax: return {"modify", "bad-request"};
    case errc::forbidden:
    case errc::unauthorized: return {"auth", "forbidden"};
    case errc::no_match: return {"cancel", "item-not-found"};
    case errc::not_unique: return {"modify", "conflict"};
    case errc::not_acknowledged:
    case errc::timed_out:
    case errc::expired: return {"wait", "remote-server-timeout"};
    case errc::left: return {"wait", "recipient-unavailable"};
    case errc::too_large: return {"modify", "policy-violation"};
    case errc::overflow:
    case errc::rate:
    case errc::limit: return {"wait", "resource-constraint"};
    case errc::remote_failed: return {"cancel", "undefined-condition"};
    case errc::shutting_down:
    case errc::no_entity: return {"wait", "service-unavailable"};
    default: return {"cancel", "internal-server-error"};
    }
}

// An address takes 64 octets of printable ASCII in a value; what does not fit is left out, and the id tells
// entities apart.
mbus::address entity_of(const session& which) {
    auto out = mbus::address::parse("(app:xmpp)").value();
    const auto own = jid::parse(which.jid());
    if (!own) return out;
    if (auto more = out.with("user", own->local)) out = std::move(*more);
    if (auto more = out.with("resource", own->resource)) out = std::move(*more);
    return out;
}

}  // namespace

bus_service::bus_service(bus_service_options options, router& hub, turn_queue& turns, stanza_sender& out)
    : options_(std::move(options)), hub_(hub), turns_(turns), out_(out) {
    hub_.observe(*this);
}

bus_service::~bus_service() {
    hub_.forget(*this);
    for (const auto& [whose, each] : members_) {
        if (each->handle) hub_.leave(*each->handle);
    }
}

// --- sessions -------------------------------------------------------------------------------------------

void bus_service::session_bound(session& which) {
    auto made = std::make_shared<member>(*this, which);
    made->rights = options_.rights(which);
    const auto wanted = entity_of(which);
    if (!made->rights) {
        made->problem = which.guest() ? "guests may not use this bus; log in with an account" : "the account has gone";
    } else if (auto no = made->rights->refuses_attach(wanted)) {
        made->problem = std::move(*no);
    } else if (const auto joined = hub_.join(*made, wanted, {}); joined) {
        made->handle = *joined;
    } else {
        made->problem = joined.error().text;
    }
    members_.emplace(&which, std::move(made));
}

void bus_service::session_ended(session& which) {
    const auto found = members_.find(&which);
    if (found == members_.end()) return;
    auto last = std::move(found->second);
    members_.erase(found);
    std::erase(watchers_, last);
    std::erase_if(calls_, [&](const auto& each) { return each.second.caller.lock() == last; });
    last->who = nullptr;
    if (last->handle) hub_.leave(*last->handle);
    gone_.push_back(std::move(last));
    turns_.add(*this);
}

std::string bus_service::jid_of(std::string_view address) const {
    // An address that is too long for a resource is not written; the element <from/> has it all the same.
    return address.size() <= jid_part_octets_max ? fmt::format("{}/{}", options_.host, address) : options_.host;
}

// --- from the bus ---------------------------------------------------------------------------------------

acceptance bus_service::member::offer(mbus::mbws::time_point, local_entity&, message_forms& forms, const mbus::mbws::delivery&,
                                      delivery_ticket) {
    if (who == nullptr) return acceptance::refused;
    if (!forms.anything_for_clients()) return acceptance::taken;
    const auto& source = forms.source();
    std::string_view text = forms.for_clients();
    if (!source.type.empty()) {
        const auto wrapped = forms.commands();  // as mbws.data, which is how the bus carries it
        if (!wrapped) return acceptance::too_large;
        text = *wrapped;
    }
    std::string rest;
    if (calls != 0) {
        // Replies end their requests; what came with them is a message.
        auto read = mbus::parse_commands(text);
        const auto replies = read ? std::erase_if(*read, [&](const auto& each) { return service.is_reply(*this, source.from, each); }) : 0;
        if (replies != 0 && (read->empty() || who == nullptr)) return acceptance::taken;
        if (replies != 0) {
            rest = mbus::format_commands(*read).value();  // they came in this form
            text = rest;
        }
    }
    element out{ns::client, "message"};
    out.set("from", service.jid_of(source.from)).set("to", who->jid()).set("type", "headline").set("id", fmt::format("b{}", ++service.last_id_));
    add_commands(out, text);
    auto& about = out.add(ns::bus, "message");
    about.set("from", source.from).set("to", source.to);
    if (source.reliable) about.set("reliable", "true");
    ++service.counters_.delivered;
    service.out_.send(*who, out);
    return acceptance::taken;
}

// --- from sessions --------------------------------------------------------------------------------------

void bus_service::handle(session& from, const jid& to, element stanza) {
    const auto found = members_.find(&from);
    if (found == members_.end()) return;
    const auto whose = found->second;  // it may end by what is sent
    if (stanza.name() == "message") return message(whose, to, stanza);
    if (stanza.name() == "presence") return presence(*whose, to, stanza);
    if (!asks(stanza).empty()) return query(whose, to, stanza);
    ++counters_.ignored;
}

void bus_service::refuse(member& to, const element& stanza, const mbus::error& why) {
    ++counters_.refused;
    if (to.who == nullptr || !may_be_answered(stanza)) return;
    auto fault = fault_of(why.code);
    fault.text = why.text;
    fault.detail = "fault";
    fault.detail_space = ns::bus;
    auto out = error_of(stanza, fault);
    auto* detail = out.child(ns::client, "error")->child(ns::bus, "fault");
    detail->set("code", to_string(why.code));
    if (why.offset != mbus::error::no_offset) detail->set("offset", std::to_string(why.offset));
    out_.send(*to.who, out);
}

std::optional<mbus::address> bus_service::address_in(member& from, const jid& to, const element& stanza) {
    auto read = mbus::address::parse(to.resource.empty() ? "()" : to.resource);
    if (read) return std::move(*read);
    refuse(from, stanza, read.error());
    return std::nullopt;
}

bool bus_service::on_the_bus(member& from, const element& stanza) {
    if (from.handle && hub_.entity(*from.handle) != nullptr) return true;
    refuse(from, stanza, {errc::forbidden, from.problem.empty() ? "the session has left the bus; log in again" : from.problem});
    return false;
}

void bus_service::message(const std::shared_ptr<member>& from, const jid& to, const element& stanza) {
    if (!may_be_answered(stanza) || (!has_commands(stanza) && is_notification(stanza))) {
        ++counters_.ignored;
        return;
    }
    if (to.resource.empty()) {
        return refuse(*from, stanza, {errc::bad_address, fmt::format("the address is missing; send to {}/(app:player) for instance", options_.host)});
    }
    const auto whom = address_in(*from, to, stanza);
    if (!whom || !on_the_bus(*from, stanza)) return;
    const bool receipt = stanza.child(ns::receipts, "request") != nullptr;
    if (receipt && stanza.value_of("id").empty()) {
        return refuse(*from, stanza, {errc::bad_argument, "a message that asks for a receipt needs an id (XEP-0184)"});
    }
    const auto commands = commands_in(stanza);
    if (!commands) return refuse(*from, stanza, commands.error());
    const outgoing_message what{.from = *from->handle, .to = whom->text(), .body = *commands, .reliable = receipt, .receipt_wanted = receipt};
    route_report report;
    const auto later = [this, waiting = std::weak_ptr{from}, stanza, receipt, alive = std::weak_ptr{alive_}](const route_report& how) {
        const auto still = alive.expired() ? nullptr : waiting.lock();
        if (still) sent(*still, stanza, receipt, how);
    };
    switch (hub_.send(hub_.now(), what, from->rights.get(), report, later)) {
    case route_status::refused: report.failed = true; [[fallthrough]];
    case route_status::routed: sent(*from, stanza, receipt, report); break;
    case route_status::receipt_later:
    case route_status::take_over_later: break;
    }
}

// XEP-0184, and beside it what the bus knows.
void bus_service::sent(member& from, const element& stanza, bool receipt, const route_report& report) {
    if (report.failed) return refuse(from, stanza, {report.code, report.text});
    ++counters_.sent;
    if (!receipt || from.who == nullptr) return;
    element out{ns::client, "message"};
    out.set("from", stanza.value_of("to")).set("to", from.who->jid()).set("id", fmt::format("b{}", ++last_id_));
    out.add(ns::receipts, "received").set("id", stanza.value_of("id"));
    auto& how = out.add(ns::bus, "delivered");
    how.set("matched", std::to_string(report.matched)).set("entity", report.entity);
    how.set("tried", std::to_string(report.tried)).set("took", std::to_string(report.took));
    out_.send(*from.who, out);
}

}  // namespace mbusd::xmpp
