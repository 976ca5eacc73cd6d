#include "gateways/xmpp/server.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/stanza.hpp"
#include "xml/writer.hpp"

namespace mbusd::xmpp {
namespace {

constexpr std::size_t resource_octets = 9;

constexpr stanza_fault unavailable{"cancel", "service-unavailable"};
// Clients look for what people publish at their own addresses (XEP-0163), and take other errors for trouble.
constexpr stanza_fault no_nodes{"cancel", "item-not-found", "accounts have no nodes; publish-subscribe has an address of its own"};
constexpr stanza_fault guests_write_to_nobody{"auth", "forbidden", "guests write to services only; log in with an account"};
constexpr stanza_fault malformed_jid{"modify", "jid-malformed", "the attribute to is no XMPP address"};
constexpr stanza_fault blocked_by_sender{.type = "cancel", .condition = "not-acceptable", .text = "you have blocked this address", .detail = "blocked", .detail_space = ns::blocking_errors};
constexpr stanza_fault gone{"wait", "recipient-unavailable", "its client lost its connection and did not come back"};
constexpr stanza_fault foreign_server{"cancel", "remote-server-not-found", "this server talks to no other; use its own domain"};

int priority_of(const xml::element& presence) {
    const auto* given = presence.child(ns::client, "priority");
    if (given == nullptr) return 0;
    const auto text = given->text();
    int out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return std::clamp(out, -128, 127);
}

}  // namespace

server::server(server_options options, sasl_accounts& accounts, random_source random)
    : options_(std::move(options)), accounts_(accounts), random_(std::move(random)) {}

server::~server() = default;

void server::add(stanza_service& service) { services_.push_back(&service); }

std::uint64_t& server::counted(server_counters::by_condition& in, std::string_view condition) {
    const auto found = in.find(condition);
    return found == in.end() ? in.emplace(condition, 0).first->second : found->second;
}

// --- sessions ---------------------------------------------------------------------------------------

session* server::bind(time_point now, stream&, const std::string& user, bool guest, std::string_view resource) {
    now_ = now;
    const auto bare = user + '@' + options_.domain;
    const auto wanted = jid::parse(bare + '/' + std::string{resource.empty() ? random_(resource_octets) : resource});
    if (!wanted) return nullptr;
    if (auto* old = find(wanted->full())) {
        // The client knows best: it is the same one, back before its old connection was noticed to be dead.
        if (auto* connection = old->connection()) connection->fail(now, "conflict", "another session took this resource");
        else end(*old);
    }
    const auto known = by_bare_.find(wanted->bare());
    if (sessions_.size() >= options_.sessions_max ||
        (known != by_bare_.end() && known->second.size() >= options_.sessions_of_one)) {
        return nullptr;
    }
    auto made = std::make_unique<session>(wanted->local, guest, options_.domain, wanted->resource);
    auto* out = made.get();
    by_bare_[out->bare()].push_back(out);
    sessions_.emplace(out->jid(), std::move(made));
    ++counters_.sessions_bound;
    for (auto* service : services_) service->session_bound(*out);
    return out;
}

session* server::resume(time_point now, stream&, const std::string& user, std::string_view id) {
    now_ = now;
    if (id.empty()) return nullptr;
    const auto own = jid::parse(user + '@' + options_.domain);
    for (const auto& [full, each] : sessions_) {
        if (each->management_id != id || !own || each->bare() != own->bare()) continue;
        if (auto* old = each->connection()) {
            old->release();
            each->detach();
            old->fail(now, "conflict", "the session was resumed by another connection");
        }
        waiting_.erase({each->expires, each.get()});
        ++counters_.sessions_resumed;
        return each.get();
    }
    return nullptr;
}

void server::closed(time_point now, session& which) {
    now_ = now;
    end(which);
}

void server::lost(time_point now, session& which) {
    now_ = now;
    if (which.management_id.empty()) {
        end(which);
        return;
    }
    which.expires = now + options_.resumption;
    waiting_.emplace(which.expires, &which);
}

void server::end(session& which) {
    const auto found = sessions_.find(which.jid());
    if (found == sessions_.end() || found->second.get() != &which) return;
    const bool missed = waiting_.erase({which.expires, &which}) != 0;
    const bool was_available = std::exchange(which.available, false);
    for (auto* service : services_) {
        if (was_available) service->presence_changed(which);
        service->session_ended(which);
    }
    if (auto* connection = which.connection()) connection->release();
    which.detach();
    auto& siblings = by_bare_[which.bare()];
    std::erase(siblings, &which);
    if (siblings.empty()) by_bare_.erase(which.bare());
    ended_.push_back(std::move(found->second));
    sessions_.erase(found);
    ++counters_.sessions_ended;
    if (missed) give_back(which);
}

// What was kept for a client that did not come back is as if it had not been there: who wrote to it is told
// (XEP-0198, section 5). What went to its account others may have.
void server::give_back(const session& from) {
    xml::document_reader reader{{.octets = unacknowledged_octets_max}};
    for (const auto& text : from.queue.waiting()) {
        ++counters_.lost;
        if (!text.starts_with("<message")) continue;
        const auto kept = reader.read(text);
        const auto type = kept ? kept->value_of("type") : std::string_view{};
        if (!kept || kept->value_of("to") != from.jid() || type == "error" || type == "headline") continue;
        deliver(kept->value_of("from"), error_of(*kept, gone));
    }
}

void server::advance(time_point now) {
    now_ = now;
    while (!waiting_.empty() && waiting_.begin()->first <= now) end(*waiting_.begin()->second);
}

void server::shut_down(time_point now) {
    while (!sessions_.empty()) {
        auto& each = *sessions_.begin()->second;
        if (auto* connection = each.connection()) connection->fail(now, "system-shutdown", "mbusd is stopping; connect again when it is back");
        end(each);
    }
}

void server::end_sessions_of(time_point now, std::string_view user) {
    const auto own = jid::parse(std::string{user} + '@' + options_.domain);
    const auto found = own ? by_bare_.find(own->bare()) : by_bare_.end();
    if (found == by_bare_.end()) return;
    for (auto* each : std::vector<session*>{found->second}) {
        if (auto* connection = each->connection()) connection->fail(now, "not-authorized", "the account was changed; log in again");
        end(*each);
    }
}

// --- out ----------------------------------------------------------------------------------------------

session* server::find(std::string_view full_jid) {
    const auto found = sessions_.find(full_jid);
    return found == sessions_.end() ? nullptr : found->second.get();
}

// What the domain and its services say themselves; stanzas of other clients come through deliver().
void server::send(session& to, const xml::element& stanza) {
    if (const auto* error = stanza.child(ns::client, "error"); error != nullptr && error->first() != nullptr && stanza.value_of("type") == "error") {
        ++counted(counters_.stanza_errors, error->first()->name());
    }
    send_text(to, xml::to_text(stanza));
}

void server::send_text(session& to, std::string stanza) {
    ++counters_.stanzas_out;
    if (to.send_text(std::move(stanza))) return;
    ++counters_.overflowed;
    if (auto* connection = to.connection()) connection->fail(now_, "policy-violation", "too much waits for this client; acknowledge what it gets");
    else end(to);
}

// A copy: a session that ends by what is sent leaves the list.
std::vector<session*> server::receivers(const jid& to) {
    if (!to.resource.empty()) {
        auto* whom = find(to.full());
        return whom == nullptr ? std::vector<session*>{} : std::vector<session*>{whom};
    }
    const auto found = by_bare_.find(to.bare());
    if (found == by_bare_.end()) return {};
    auto out = found->second;
    std::erase_if(out, [](const session* each) { return !each->available || each->priority < 0; });
    return out;
}

bool server::deliver(std::string_view to, xml::element stanza) {
    const auto whom = jid::parse(to);
    return whom && deliver(*whom, std::move(stanza));
}

bool server::deliver(const jid& to, xml::element stanza) {
    const auto whom = receivers(to);
    if (whom.empty()) return false;
    const auto text = xml::to_text(stanza);
    for (auto* each : whom) send_text(*each, text);
    return true;
}

bool server::deliver_text(std::string_view to, const std::function<std::string(const session&)>& text) {
    const auto address = jid::parse(to);
    if (!address) return false;
    const auto whom = receivers(*address);
    for (auto* each : whom) send_text(*each, text(*each));
    return !whom.empty();
}

void server::refuse(session& from, const xml::element& stanza, const stanza_fault& why) {
    if (!may_be_answered(stanza)) return;
    send(from, error_of(stanza, why));
}

// --- in -----------------------------------------------------------------------------------------------

void server::stanza(time_point now, session& from, xml::element what) {
    now_ = now;
    ++counters_.stanzas_in;
    what.set("from", from.jid());  // whatever it said (RFC 6120, section 8.1.2.1)
    if (!well_formed(from, what)) return;
    const auto to = what.get("to");
    if (!to) {
        if (what.name() == "presence") return presence(from, what);
        return to_account(from, *jid::parse(from.bare()), std::move(what));
    }
    const auto whom = jid::parse(*to);
    if (!whom) return refuse(from, what, malformed_jid);
    if (blocked_.blocks(from.user(), *whom)) {
        if (what.name() != "presence") refuse(from, what, blocked_by_sender);
        return;
    }
    if (whom->domain == options_.domain) {
        if (whom->local.empty()) return to_domain(from, std::move(what));
        return to_account(from, *whom, std::move(what));
    }
    for (auto* service : services_) {
        if (service->host() == whom->domain) return service->handle(from, *whom, std::move(what));
    }
    refuse(from, what, foreign_server);
}

// RFC 6120, section 8.2.3: an iq has an id and a known type, and one child when it asks.
bool server::well_formed(session& from, const xml::element& stanza) {
    if (stanza.name() != "iq") return true;
    const auto type = stanza.value_of("type");
    const bool asking = type == "get" || type == "set";
    if (!stanza.get("id") || stanza.value_of("id").empty() || (!asking && type != "result" && type != "error")) {
        refuse(from, stanza, {"modify", "bad-request", "an iq has an id and the type get, set, result or error"});
        return false;
    }
    if (asking && stanza.elements().size() != 1) {
        refuse(from, stanza, {"modify", "bad-request", "an iq of type get or set has exactly one child"});
        return false;
    }
    return true;
}

void server::presence(session& from, const xml::element& stanza) {
    const auto type = stanza.value_of("type");
    if (!type.empty() && type != "unavailable") return;
    const bool was = from.available;
    from.available = type.empty();
    from.priority = from.available ? priority_of(stanza) : 0;
    if (was == from.available) return;
    for (auto* service : services_) service->presence_changed(from);
}

void server::to_account(session& from, const jid& to, xml::element stanza) {
    const bool own = to.bare() == from.bare();
    const auto type = stanza.value_of("type");
    // XEP-0175: a guest answers, and begins nothing.
    if (from.guest() && !own && type != "result" && type != "error") {
        if (stanza.name() != "presence") return refuse(from, stanza, guests_write_to_nobody);
        ++counters_.undeliverable;
        return;
    }
    if (to.resource.empty()) {
        const bool asking = !asks(stanza).empty();
        if (asking && own && answer_query(from, stanza, false)) return;
        const bool asks_for_items = asks(stanza) == "get" && query(stanza, ns::pubsub, "pubsub") != nullptr;
        if (asking) return refuse(from, stanza, asks_for_items ? no_nodes : unavailable);
        // No subscriptions between accounts; and RFC 6121, section 8.5.2.
        const bool to_a_room = stanza.name() == "message" && type == "groupchat";
        if (to_a_room) return refuse(from, stanza, unavailable);
        if (stanza.name() != "message" || type == "error") {
            ++counters_.undeliverable;
            return;
        }
    }
    // Who is blocked learns no more than that nobody is there (XEP-0191, section 3.2).
    if (!blocked_.blocks(to.local, from.jid()) && deliver(to, stanza)) return;
    const bool headline = stanza.name() == "message" && type == "headline";
    if (stanza.name() == "presence" || headline || !may_be_answered(stanza)) {
        ++counters_.undeliverable;
        return;
    }
    refuse(from, stanza, unavailable);
}

void server::to_domain(session& from, xml::element stanza) {
    if (!asks(stanza).empty() && answer_query(from, stanza, true)) return;
    if (stanza.name() == "presence" || !may_be_answered(stanza)) {
        ++counters_.undeliverable;
        return;
    }
    refuse(from, stanza, unavailable);
}

}  // namespace mbusd::xmpp
