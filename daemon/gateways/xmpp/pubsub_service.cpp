#include "gateways/xmpp/pubsub_service.hpp"

#include <array>
#include <charconv>
#include <ctime>
#include <utility>

#include "atom/entry.hpp"
#include "atom/names.hpp"
#include "gateways/xmpp/forms.hpp"
#include "gateways/xmpp/namespaces.hpp"
#include "pubsub/faults.hpp"
#include "xml/writer.hpp"

namespace mbusd::xmpp {
namespace {

namespace faults = pubsub::faults;
using xml::element;

// The text beside an event: a headline, not the entry.
constexpr std::size_t body_octets_max = 1000;

constexpr std::string_view authorization = "http://jabber.org/protocol/pubsub#subscribe_authorization";

constexpr auto features = std::to_array<std::string_view>(
    {"access-authorize", "access-open", "access-whitelist", "config-node", "create-and-configure", "create-nodes", "delete-items", "delete-nodes",
     "instant-nodes", "item-ids", "manage-subscriptions", "member-affiliation", "meta-data", "modify-affiliations", "multi-items",
     "outcast-affiliation", "persistent-items", "publish", "publish-options", "publisher-affiliation", "purge-nodes", "retract-items",
     "retrieve-affiliations", "retrieve-default", "retrieve-items", "retrieve-subscriptions", "subscribe"});

pubsub::fault unsupported(std::string_view feature) {
    return {"cancel", "feature-not-implemented", "unsupported", "this service does not do that", feature};
}

pubsub::fault bad_request(std::string text) { return {"modify", "bad-request", {}, std::move(text)}; }

element nothing() { return {}; }

// XEP-0004 and XEP-0060 write booleans as 1, 0, true or false.
bool is_true(std::string_view text) noexcept { return text == "1" || text == "true"; }

// The submitted form inside an element; an absent or cancelled one has no fields.
pubsub::form_fields form_in(const element& holder) {
    const auto* form = holder.child(ns::forms, "x");
    return form == nullptr || cancels(*form) ? pubsub::form_fields{} : fields_of(*form);
}

// `<subscription/>` as each namespace writes it.
void add_subscription(element& list, const pubsub::subscription& what, bool with_node) {
    auto& out = list.add(list.space(), "subscription");
    if (with_node) out.set("node", what.node);
    out.set("jid", what.jid).set("subscription", to_string(what.state));
}

std::string date_of(std::uint64_t ms) {
    const auto when = static_cast<std::time_t>(ms / 1000);
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), size};
}

// <subject/> and <body/> of an entry's event, which clients show that know no events (pubsub#include_body).
std::string text_for_people(const pubsub::event& what) {
    if (!what.body || !what.entry || !what.entry->payload->is(atom::atom_namespace, "entry")) return {};
    const auto text = atom::announcement_of(*what.entry->payload, body_octets_max);
    if (text.empty()) return {};
    std::string out{"<subject>"};
    xml::append_escaped(out, what.node);
    out += "</subject><body>";
    xml::append_escaped(out, text);
    return out += "</body>";
}

}  // namespace

pubsub_service::pubsub_service(std::string host, pubsub::service& nodes, stanza_sender& out)
    : host_(std::move(host)), nodes_(nodes), out_(out) {}

// --- stanzas in -----------------------------------------------------------------------------------------

void pubsub_service::handle(session& from, const jid&, element stanza) {
    if (stanza.name() == "message") {
        if (const auto* form = stanza.child(ns::forms, "x"); form != nullptr && may_be_answered(stanza)) decide(from, *form);
        return;
    }
    const auto asking = asks(stanza);
    if (asking.empty()) return;
    const pubsub::requester who{from.jid(), from.guest()};
    const auto& payload = *stanza.first();
    if (payload.is(ns::ping, "ping")) return answer(from, stanza, nothing());
    if (payload.is(ns::disco_info, "query") || payload.is(ns::disco_items, "query")) return answer(from, stanza, disco(who, payload));
    if (payload.is(ns::pubsub, "pubsub")) return answer(from, stanza, request(who, asking == "set", payload));
    if (payload.is(ns::pubsub_owner, "pubsub")) return answer(from, stanza, owner_request(who, asking == "set", payload));
    out_.send(from, error_of(stanza, {"cancel", "service-unavailable"}));
}

void pubsub_service::answer(session& to, const element& request, reply what) {
    if (what) {
        auto result = result_of(request);
        if (!what->name().empty()) result.add(std::move(*what));
        return out_.send(to, result);
    }
    const auto& why = what.error();
    out_.send(to, error_of(request, {.type = why.type, .condition = why.condition, .text = why.text, .detail = why.detail,
                                     .detail_space = ns::pubsub_errors, .feature = why.feature}));
}

pubsub_service::reply pubsub_service::request(const pubsub::requester& who, bool set, const element& pubsub) {
    const auto* what = pubsub.first();
    if (what == nullptr) return bad_request("pubsub needs a child that says what to do");
    const auto& name = what->name();
    if (set) {
        if (name == "create") return create(who, pubsub, *what);
        if (name == "publish") return publish(who, pubsub, *what);
        if (name == "retract") return retract(who, *what);
        if (name == "subscribe") return subscribe(who, *what);
        if (name == "unsubscribe") return unsubscribe(who, *what);
    } else {
        if (name == "items") return items(who, *what);
        if (name == "subscriptions" || name == "affiliations") return list(who, *what, false);
    }
    if (name == "options" || name == "default") return unsupported(name == "options" ? "subscription-options" : "retrieve-default-sub");
    return bad_request("this service has no request " + name + (set ? " of type set" : " of type get"));
}

pubsub_service::reply pubsub_service::create(const pubsub::requester& who, const element& pubsub, const element& create) {
    const auto* configure = pubsub.child(ns::pubsub, "configure");
    auto made = nodes_.create(who, create.value_of("node"), configure == nullptr ? pubsub::form_fields{} : form_in(*configure));
    if (!made) return made.error();
    element out{ns::pubsub, "pubsub"};
    out.add(ns::pubsub, "create").set("node", *made);
    return out;
}

pubsub_service::reply pubsub_service::publish(const pubsub::requester& who, const element& pubsub, const element& publish) {
    const auto entries = publish.elements(ns::pubsub, "item");
    if (publish.value_of("node").empty()) return faults::node_required();
    if (entries.empty()) return pubsub::fault{"modify", "bad-request", "item-required", "publish needs an item"};
    if (entries.size() > 1) return pubsub::fault{"modify", "bad-request", "invalid-payload", "publish one item at a time"};
    const auto payloads = entries.front()->elements();
    if (payloads.empty()) return pubsub::fault{"modify", "bad-request", "payload-required", "the item needs a payload"};
    if (payloads.size() > 1) return pubsub::fault{"modify", "bad-request", "invalid-payload", "an item has one payload"};
    const auto* options = pubsub.child(ns::pubsub, "publish-options");
    const auto node = publish.value_of("node");
    auto made = nodes_.publish(who, node, entries.front()->value_of("id"), *payloads.front(),
                               options == nullptr ? pubsub::form_fields{} : form_in(*options));
    if (!made) return made.error();
    element out{ns::pubsub, "pubsub"};
    out.add(ns::pubsub, "publish").set("node", node).add(ns::pubsub, "item").set("id", made->id);
    return out;
}

pubsub_service::reply pubsub_service::retract(const pubsub::requester& who, const element& retract) {
    const auto entries = retract.elements(ns::pubsub, "item");
    if (!retract.value_of("node").empty() && entries.empty()) return faults::item_required();
    const auto id = entries.empty() ? std::string_view{} : entries.front()->value_of("id");
    auto gone = nodes_.retract(who, retract.value_of("node"), id, is_true(retract.value_of("notify")));
    if (!gone) return gone.error();
    return nothing();
}

pubsub_service::reply pubsub_service::items(const pubsub::requester& who, const element& items) {
    std::vector<std::string> ids;
    for (const auto* each : items.elements(ns::pubsub, "item")) ids.emplace_back(each->value_of("id"));
    std::size_t count = 0;
    if (const auto wanted = items.get("max_items")) {
        const auto [end, fault] = std::from_chars(wanted->data(), wanted->data() + wanted->size(), count);
        if (fault != std::errc{} || end != wanted->data() + wanted->size() || count == 0) return bad_request("max_items is a number above 0");
    }
    const auto node = items.value_of("node");
    auto found = nodes_.items(who, node, count, ids);
    if (!found) return found.error();
    element out{ns::pubsub, "pubsub"};
    auto& list = out.add(ns::pubsub, "items");
    list.set("node", node);
    for (const auto& each : *found) list.add(ns::pubsub, "item").set("id", each->id).add(*each->payload);
    return out;
}

pubsub_service::reply pubsub_service::subscribe(const pubsub::requester& who, const element& subscribe) {
    auto made = nodes_.subscribe(who, subscribe.value_of("node"), subscribe.value_of("jid"));
    if (!made) return made.error();
    element out{ns::pubsub, "pubsub"};
    add_subscription(out, *made, true);
    return out;
}

pubsub_service::reply pubsub_service::unsubscribe(const pubsub::requester& who, const element& unsubscribe) {
    auto gone = nodes_.unsubscribe(who, unsubscribe.value_of("node"), unsubscribe.value_of("jid"));
    if (!gone) return gone.error();
    return nothing();
}

// Subscriptions or affiliations: one's own, or everybody's for an owner.
pubsub_service::reply pubsub_service::list(const pubsub::requester& who, const element& what, bool of_owner) {
    const auto node = what.value_of("node");
    element out{what.space(), "pubsub"};
    auto& list = out.add(what.space(), what.name());
    if (!node.empty()) list.set("node", node);
    if (what.name() == "subscriptions") {
        auto found = of_owner ? nodes_.subscriptions_of(who, node) : nodes_.subscriptions(who, node);
        if (!found) return found.error();
        for (const auto& each : *found) add_subscription(list, each, !of_owner);
        return out;
    }
    auto found = of_owner ? nodes_.affiliations_of(who, node) : nodes_.affiliations(who, node);
    if (!found) return found.error();
    for (const auto& each : *found) {
        auto& row = list.add(what.space(), "affiliation");
        if (of_owner) row.set("jid", each.jid);
        else row.set("node", each.node);
        row.set("affiliation", to_string(each.what));
    }
    return out;
}

// --- owners -----------------------------------------------------------------------------------------------

pubsub_service::reply pubsub_service::owner_request(const pubsub::requester& who, bool set, const element& pubsub) {
    const auto* what = pubsub.first();
    if (what == nullptr) return bad_request("pubsub needs a child that says what to do");
    const auto& name = what->name();
    const auto node = what->value_of("node");
    const auto finished = [](const pubsub::outcome<pubsub::done>& outcome) -> reply {
        if (!outcome) return outcome.error();
        return nothing();
    };
    if (set) {
        if (name == "delete") return finished(nodes_.remove(who, node));
        if (name == "purge") return finished(nodes_.purge(who, node));
        if (name == "subscriptions" || name == "affiliations") return set_list(who, *what);
        if (name != "configure") return bad_request("owners have no request " + name + " of type set");
        const auto* form = what->child(ns::forms, "x");
        if (form == nullptr) return bad_request("configure needs a form of type submit");
        if (cancels(*form)) return nothing();
        return finished(nodes_.configure(who, node, fields_of(*form)));
    }
    if (name == "subscriptions" || name == "affiliations") return list(who, *what, true);
    element out{ns::pubsub_owner, "pubsub"};
    if (name == "default") {
        out.add(ns::pubsub_owner, "default").add(config_form({}));
        return out;
    }
    if (name != "configure") return bad_request("owners have no request " + name + " of type get");
    auto config = nodes_.configuration(who, node);
    if (!config) return config.error();
    out.add(ns::pubsub_owner, "configure").set("node", node).add(config_form(*config));
    return out;
}

pubsub_service::reply pubsub_service::set_list(const pubsub::requester& who, const element& what) {
    const std::string node{what.value_of("node")};
    const auto finished = [](const pubsub::outcome<pubsub::done>& outcome) -> reply {
        if (!outcome) return outcome.error();
        return nothing();
    };
    if (what.name() == "affiliations") {
        std::vector<pubsub::affiliated> wanted;
        for (const auto* each : what.elements(ns::pubsub_owner, "affiliation")) {
            const auto value = pubsub::affiliation_from(each->value_of("affiliation"));
            if (!value) return bad_request("an affiliation is owner, publisher, member, none or outcast");
            wanted.push_back({node, std::string{each->value_of("jid")}, *value});
        }
        return finished(nodes_.set_affiliations(who, node, wanted));
    }
    std::vector<pubsub::subscription> wanted;
    for (const auto* each : what.elements(ns::pubsub_owner, "subscription")) {
        const auto value = pubsub::subscription_state_from(each->value_of("subscription"));
        if (!value) return bad_request("a subscription is subscribed, pending or none");
        wanted.push_back({node, std::string{each->value_of("jid")}, *value});
    }
    return finished(nodes_.set_subscriptions(who, node, wanted));
}

// --- discovery ----------------------------------------------------------------------------------------------

pubsub_service::reply pubsub_service::disco(const pubsub::requester& who, const element& query) {
    const auto node = query.value_of("node");
    const bool info = query.space() == ns::disco_info;
    element out{query.space(), "query"};
    if (!node.empty()) out.set("node", node);
    if (node.empty() && !info) {
        for (const auto& each : nodes_.nodes(who)) {
            auto& row = out.add(out.space(), "item").set("jid", host_).set("node", each.id);
            if (!each.title.empty()) row.set("name", each.title);
        }
        return out;
    }
    if (node.empty()) {
        out.add(out.space(), "identity").set("category", "pubsub").set("type", "service").set("name", title());
        for (const auto each : {ns::disco_info, ns::disco_items, ns::ping, ns::pubsub}) out.add(out.space(), "feature").set("var", each);
        for (const auto each : features) out.add(out.space(), "feature").set("var", std::string{ns::pubsub} + '#' + std::string{each});
        return out;
    }
    if (!info) {
        auto found = nodes_.items(who, node, 0, {});
        if (!found) return found.error();
        for (const auto& each : *found) out.add(out.space(), "item").set("jid", host_).set("name", each->id);
        return out;
    }
    auto found = nodes_.look_at(who, node);
    if (!found) return found.error();
    out.add(out.space(), "identity").set("category", "pubsub").set("type", "leaf");
    out.add(out.space(), "feature").set("var", ns::pubsub);
    auto form = new_form("result", "http://jabber.org/protocol/pubsub#meta-data");
    const auto& config = *found->config;
    add_field(form, "pubsub#title", "text-single", {}, config.title);
    add_field(form, "pubsub#description", "text-single", {}, config.description);
    add_field(form, "pubsub#type", "text-single", {}, config.type);
    add_field(form, "pubsub#creation_date", "text-single", {}, date_of(found->created_ms));
    add_field(form, "pubsub#creator", "jid-single", {}, found->creator);
    add_field(form, "pubsub#num_subscribers", "text-single", {}, std::to_string(found->subscribers));
    out.add(std::move(form));
    return out;
}

// --- events and approvals ---------------------------------------------------------------------------------------

void pubsub_service::notify(std::string_view jid, const pubsub::event& what) {
    // Decisions about a subscription name the subscriber inside; all others are the same for everybody.
    const bool same = what.what != pubsub::event::kind::subscribed && what == told_ && !before_to_.empty();
    if (!same) write_event(what, jid);
    out_.deliver_text(jid, [&](const session&) {
        std::string text = before_to_;
        xml::append_escaped(text, jid);
        return text += after_to_;
    });
}

void pubsub_service::write_event(const pubsub::event& what, std::string_view subscriber) {
    told_ = what;
    element event{ns::pubsub_event, "event"};
    switch (what.what) {
    case pubsub::event::kind::published: {
        auto& item = event.add(ns::pubsub_event, "items").set("node", what.node).add(ns::pubsub_event, "item");
        item.set("id", what.item_id);
        if (what.payload) item.add(*what.entry->payload);
        break;
    }
    case pubsub::event::kind::retracted:
        event.add(ns::pubsub_event, "items").set("node", what.node).add(ns::pubsub_event, "retract").set("id", what.item_id);
        break;
    case pubsub::event::kind::purged: event.add(ns::pubsub_event, "purge").set("node", what.node); break;
    case pubsub::event::kind::deleted: event.add(ns::pubsub_event, "delete").set("node", what.node); break;
    case pubsub::event::kind::configured: event.add(ns::pubsub_event, "configuration").set("node", what.node); break;
    case pubsub::event::kind::subscribed:
        event.add(ns::pubsub_event, "subscription").set("node", what.node).set("jid", subscriber).set("subscription", to_string(what.state));
        break;
    }
    before_to_ = "<message xmlns=\"jabber:client\" from=\"" + host_ + "\" type=\"" + std::string{what.message_type} + "\" id=\"e" +
                 std::to_string(++events_) + "\" to=\"";
    after_to_ = "\">" + xml::to_text(event, {.inherited = ns::client}) + text_for_people(what) + "</message>";
}

void pubsub_service::approval_wanted(const std::vector<std::string>& owners, const pubsub::subscription& what) {
    for (const auto& owner : owners) {
        element message{ns::client, "message"};
        message.set("from", host_).set("to", owner).set("id", "a" + std::to_string(++events_));
        auto form = new_form("form", authorization);
        form.add(ns::forms, "title").add_text("A subscription waits for your approval");
        add_field(form, "pubsub#node", "text-single", "Node", what.node);
        add_field(form, "pubsub#subscriber_jid", "jid-single", "Subscriber", what.jid);
        add_field(form, "pubsub#allow", "boolean", "Allow it?", "false");
        message.add(std::move(form));
        out_.deliver(owner, std::move(message));
    }
}

// An owner's answer to the form; what is no such answer is nobody's business.
void pubsub_service::decide(session& from, const element& form) {
    if (cancels(form)) return;
    std::string type;
    std::string node;
    std::string subscriber;
    bool allow = false;
    for (const auto& [name, values] : fields_of(form)) {
        if (values.empty()) continue;
        if (name == "FORM_TYPE") type = values.front();
        if (name == "pubsub#node") node = values.front();
        if (name == "pubsub#subscriber_jid") subscriber = values.front();
        if (name == "pubsub#allow") allow = is_true(values.front());
    }
    if (type == authorization) nodes_.decide({from.jid(), from.guest()}, node, subscriber, allow);
}

// A guest's subscriptions end with it (XEP-0175); others' wait for them.
void pubsub_service::session_ended(session& which) {
    if (!which.guest()) return;
    nodes_.forget(which.jid());
    nodes_.forget(which.bare());
}

}  // namespace mbusd::xmpp
