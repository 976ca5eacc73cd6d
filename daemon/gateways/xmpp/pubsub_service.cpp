// Stanzas in, answers out; pubsub_requests.cpp, pubsub_owners.cpp and pubsub_lists.cpp know what to say.
#include "gateways/xmpp/pubsub_service.hpp"

#include <numeric>

#include "gateways/xmpp/pubsub_parts.hpp"

namespace mbusd::xmpp {

using xml::element;

pubsub_service::pubsub_service(pubsub_service_options options, pubsub::service& nodes, stanza_sender& out)
    : options_(std::move(options)), nodes_(nodes), out_(out) {}

void pubsub_service::handle(session& from, const jid&, element stanza) {
    if (stanza.name() == "message" && may_be_answered(stanza)) return message(from, stanza);
    if (!asks(stanza).empty()) return query(from, stanza);
    ++counters_.ignored;
}

void pubsub_service::query(session& from, const element& iq) {
    ++counters_.requests;
    const bool set = asks(iq) == "set";
    const pubsub::requester who{from.jid(), from.guest()};
    const auto& payload = *iq.first();
    const bool ours = payload.is(ns::pubsub, "pubsub") || payload.is(ns::pubsub_owner, "pubsub");
    if (!set && payload.is(ns::ping, "ping")) return answer(from, iq, nothing());
    if (!set && (payload.is(ns::disco_info, "query") || payload.is(ns::disco_items, "query"))) return answer(from, iq, disco(who, payload));
    if (!ours) return answer(from, iq, pubsub::fault{"cancel", "service-unavailable", {}, {}});
    if (set) {
        if (auto no = refuses_change(from)) return answer(from, iq, std::move(*no));
    }
    answer(from, iq, payload.space() == ns::pubsub ? request(who, set, payload) : owner_request(who, set, payload));
}

// The only messages with a meaning here: an owner's answer to the form of approval_wanted().
void pubsub_service::message(session& from, const element& stanza) {
    ++counters_.requests;
    const auto* form = stanza.child(ns::forms, "x");
    if (form == nullptr) {
        ++counters_.refused;
        return out_.send(from, error_of(stanza, {"cancel", "service-unavailable", "publish-subscribe is asked by iq, not by message"}));
    }
    auto no = refuses_change(from);
    if (!no) {
        const auto done = decide({from.jid(), from.guest()}, *form);
        if (done) return;
        no = done.error();
    }
    ++counters_.refused;
    out_.send(from, error_of(stanza, stanza_fault_of(*no)));
}

std::optional<pubsub::fault> pubsub_service::refuses_change(session& from) const {
    const auto problem = options_.problem ? options_.problem() : std::string_view{};
    if (!problem.empty()) return pubsub::fault{"wait", "internal-server-error", {}, std::string{problem}};
    const auto found = waiting_.find(&from);
    if (found == waiting_.end() || found->second->answers < pubsub_answers_waiting_max) return std::nullopt;
    return pubsub::fault{"wait", "resource-constraint", {}, "the disk is slower than you; wait for the answers to what you have sent"};
}

stanza_fault pubsub_service::stanza_fault_of(const pubsub::fault& why) {
    return {.type = why.type, .condition = why.condition, .text = why.text, .detail = why.detail, .detail_space = ns::pubsub_errors, .feature = why.feature};
}

void pubsub_service::answer(session& to, const element& request, reply what) {
    const bool changed = what && asks(request) == "set";
    element out = what ? result_of(request) : error_of(request, stanza_fault_of(what.error()));
    if (!what) ++counters_.refused;
    else if (!what->name().empty()) out.add(std::move(*what));
    auto found = waiting_.find(&to);
    if (!options_.when_stored || (!changed && found == waiting_.end())) return out_.send(to, out);
    if (found == waiting_.end()) found = waiting_.emplace(&to, std::make_shared<waiting>()).first;
    ++found->second->answers;
    ++counters_.stored_later;
    options_.when_stored([this, whom = &to, kept = std::make_shared<element>(std::move(out)), mine = std::weak_ptr{found->second},
                          alive = std::weak_ptr{alive_}] {
        const auto still = alive.expired() ? nullptr : mine.lock();
        if (!still) return;  // the session has ended
        if (--still->answers == 0) waiting_.erase(whom);
        out_.send(*whom, *kept);
    });
}

std::size_t pubsub_service::answers_waiting() const noexcept {
    return std::accumulate(waiting_.begin(), waiting_.end(), std::size_t{0}, [](std::size_t sum, const auto& each) { return sum + each.second->answers; });
}

// A guest's subscriptions end with it (XEP-0175); others' wait for them.
void pubsub_service::session_ended(session& which) {
    waiting_.erase(&which);
    if (!which.guest()) return;
    nodes_.forget(which.jid());
    nodes_.forget(which.bare());
}

void pubsub_service::presence_changed(session& which) {
    if (which.available) nodes_.came(which.jid());
}

}  // namespace mbusd::xmpp
