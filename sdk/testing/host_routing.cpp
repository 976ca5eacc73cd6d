// Messages through a host of the in-process bus: the engine routes, this hands over.
#include <algorithm>

#include "host.hpp"
#include "world.hpp"

namespace mbus::testing::detail {
namespace {

bool wants(const mbws::attachment& who, std::string_view payload) {
    if (who.asked.commands.empty()) return true;
    command_scanner scan{payload};
    while (const auto* next = scan.next()) {
        if (glob_matches(who.asked.commands, next->name)) return true;
    }
    return false;
}

}  // namespace

mbws::route_status host::route(mbws::time_point, mbws::broker_session& session, const mbws::routed_message& what,
                               mbws::route_report& report) {
    const auto refuse = [&](const error& why) {
        report.failed = true;
        report.code = why.code;
        report.text = why.text;
        return mbws::route_status::refused;
    };
    const auto to = mbus::address::parse(what.to);
    if (!to) return refuse(to.error());
    std::string opaque;
    if (!what.type.empty()) {
        auto text = mbws::data_command(what.type, what.body);
        if (!text) return refuse(text.error());
        opaque = std::move(*text);
    }
    const auto token = ++last_id_;
    protocol::send_request request;
    request.from = protocol::entity_handle{static_cast<std::uint32_t>(what.from->handle)};
    request.destination = &*to;
    request.payload = opaque.empty() ? what.body : std::string_view{opaque};
    request.commands = opaque.empty() ? what.commands.commands : 1;
    request.reliable = what.reliable;
    request.may_coalesce = !what.receipt_wanted && what.ttl == 0 && opaque.empty() && !what.commands.has_mbus_command;
    request.token = token;
    routing_ = true;
    sent_at_once_.reset();
    const auto matched = node_->send(world_.instant(), request);
    routing_ = false;
    if (!matched) {
        // That nobody or too many match is an outcome; everything else is a refusal.
        const bool outcome = matched.error().code == errc::no_match || matched.error().code == errc::not_unique;
        (void)refuse(matched.error());
        return outcome ? mbws::route_status::routed : mbws::route_status::refused;
    }
    report.matched = static_cast<std::uint32_t>(matched->total());
    if (!what.reliable) return mbws::route_status::routed;
    if (!sent_at_once_) {
        sends_.emplace(token, open_send{&session, what.number, report.matched});
        return mbws::route_status::receipt_later;
    }
    report.failed = !sent_at_once_->acknowledged;
    report.code = sent_at_once_->outcome;
    report.text = report.failed ? "the receiver's queue is full" : "";
    report.entity = sent_at_once_->by.text();
    report.tried = 1;
    return mbws::route_status::routed;
}

void host::sent(const protocol::send_report& what) {
    if (routing_) {
        sent_at_once_ = what;
        return;
    }
    const auto at = sends_.find(what.token);
    if (at == sends_.end()) return;
    const auto open = at->second;
    sends_.erase(at);
    mbws::route_report report;
    report.failed = !what.acknowledged;
    report.code = what.outcome;
    report.text = what.outcome == errc::left ? "the receiver left before it acknowledged"
                                             : "the receiver did not acknowledge in time";
    if (what.acknowledged) report.text.clear();
    report.matched = open.matched;
    report.entity = what.by.text();
    report.tried = static_cast<std::uint8_t>(std::min(what.transmissions, 255U));
    report.took = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(what.took).count());
    open.session->receipt(open.number, report);
}

bool host::deliver(protocol::entity_handle to, const std::shared_ptr<const protocol::inbound>& what) {
    const auto at = entities_.find(static_cast<std::uint32_t>(to));
    return at == entities_.end() || offer(at->second, *what, false);
}

void host::observed(const std::shared_ptr<const protocol::inbound>& what) {
    for (const auto& one : monitors_) {
        if (what->header.source.answers_to(one.pattern) || what->header.destination.answers_to(one.pattern)) {
            (void)offer(one.where, *what, true);
        }
    }
}

// False: refused, so that the sender learns of it.
bool host::offer(const place& to, const protocol::inbound& what, bool monitor) {
    const auto* who = to.session->find_attachment(to.slot);
    if (who == nullptr || !wants(*who, what.payload)) return true;
    mbws::message_content content;
    content.to = what.header.destination.text();
    content.from = what.header.source.text();
    content.time = what.header.timestamp;
    content.body = what.payload;
    content.first_command = what.first_command;
    content.reliable = what.header.type == message_type::reliable;
    std::optional<mbws::opaque_body> opaque;
    if (!who->asked.type.empty()) opaque = mbws::opaque_from_command(what.payload);
    if (opaque && mbws::accepts_type(who->asked.type, opaque->type)) {
        content.type = opaque->type;
        content.body = opaque->octets;
    }
    mbws::delivery how;
    how.slot = to.slot;
    how.monitor = monitor;
    const auto taken = to.session->offer(world_.now(), preparer_.prepare(content), how);
    return taken != mbws::offer_result::refused && taken != mbws::offer_result::too_large;
}

}  // namespace mbus::testing::detail
