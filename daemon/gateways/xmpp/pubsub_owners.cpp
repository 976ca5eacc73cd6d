// What owners may ask of publish-subscribe (XEP-0060, section 8), approvals among it.
#include "gateways/xmpp/pubsub_parts.hpp"
#include "gateways/xmpp/pubsub_service.hpp"

namespace mbusd::xmpp {
namespace {

using xml::element;

constexpr std::string_view authorization = "http://jabber.org/protocol/pubsub#subscribe_authorization";

pubsub::outcome<element> finished(const pubsub::outcome<pubsub::done>& outcome) {
    if (!outcome) return outcome.error();
    return nothing();
}

}  // namespace

pubsub_service::reply pubsub_service::owner_request(const pubsub::requester& who, bool set, const element& pubsub) {
    const auto* what = pubsub.first();
    if (what == nullptr) return bad_request("pubsub needs a child that says what to do");
    if (what->space() != pubsub.space()) return bad_request("what to do stands in the namespace of pubsub itself");
    const auto& name = what->name();
    const auto node = what->value_of("node");
    if (set) {
        if (name == "delete") return finished(nodes_.remove(who, node));
        if (name == "purge") return finished(nodes_.purge(who, node));
        if (name == "subscriptions") return set_subscriptions(who, *what);
        if (name == "affiliations") return set_affiliations(who, *what);
        if (name != "configure") return bad_request("owners have no request " + name + " of type set");
        const auto* form = what->child(ns::forms, "x");
        if (form == nullptr) return bad_request("configure needs a form of type submit");
        if (cancels(*form)) return nothing();
        auto fields = submitted_in(*what);
        if (!fields) return fields.error();
        return finished(nodes_.configure(who, node, *fields));
    }
    if (name == "subscriptions" || name == "affiliations") return list(who, pubsub, *what, true);
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

pubsub_service::reply pubsub_service::set_affiliations(const pubsub::requester& who, const element& what) {
    const std::string node{what.value_of("node")};
    std::vector<pubsub::affiliated> wanted;
    for (const auto* each : what.elements(ns::pubsub_owner, "affiliation")) {
        auto address = address_in(*each);
        if (!address) return address.error();
        const auto value = pubsub::affiliation_from(each->value_of("affiliation"));
        if (!value) return bad_request("an affiliation is owner, publisher, member, none or outcast");
        wanted.push_back({node, std::move(*address), *value});
    }
    return finished(nodes_.set_affiliations(who, node, wanted));
}

pubsub_service::reply pubsub_service::set_subscriptions(const pubsub::requester& who, const element& what) {
    const std::string node{what.value_of("node")};
    std::vector<pubsub::subscription> wanted;
    for (const auto* each : what.elements(ns::pubsub_owner, "subscription")) {
        auto address = address_in(*each);
        if (!address) return address.error();
        const auto value = pubsub::subscription_state_from(each->value_of("subscription"));
        if (!value) return bad_request("a subscription is subscribed, pending or none");
        wanted.push_back({node, std::move(*address), *value});
    }
    return finished(nodes_.set_subscriptions(who, node, wanted));
}

// --- approvals (section 8.6) ----------------------------------------------------------------------------

void pubsub_service::approval_wanted(const std::vector<std::string>& owners, const pubsub::subscription& what) {
    for (const auto& owner : owners) {
        element message{ns::client, "message"};
        message.set("from", options_.host).set("to", owner).set("id", "a" + std::to_string(++events_));
        auto form = new_form("form", authorization);
        form.add(ns::forms, "title").add_text("A subscription waits for your approval");
        add_field(form, "pubsub#node", "text-single", "Node", what.node);
        add_field(form, "pubsub#subscriber_jid", "jid-single", "Subscriber", what.jid);
        add_field(form, "pubsub#allow", "boolean", "Allow it?", "false");
        message.add(std::move(form));
        ++counters_.approvals;
        out_.deliver(owner, std::move(message));
    }
}

pubsub::outcome<pubsub::done> pubsub_service::decide(const pubsub::requester& who, const element& form) {
    if (cancels(form)) return pubsub::done{};
    std::string type;
    std::string node;
    std::string subscriber;
    std::optional<bool> allow;
    for (const auto& [name, values] : fields_of(form)) {
        if (values.empty()) continue;
        if (name == "FORM_TYPE") type = values.front();
        if (name == "pubsub#node") node = values.front();
        if (name == "pubsub#subscriber_jid") subscriber = values.front();
        if (name == "pubsub#allow") allow = pubsub::flag_from(values.front());
    }
    if (type != authorization) return bad_request("the form's FORM_TYPE is " + std::string{authorization});
    const auto whom = jid::parse(subscriber);
    if (node.empty() || !whom || !allow) return bad_request("the form names pubsub#node, pubsub#subscriber_jid and pubsub#allow");
    return nodes_.decide(who, node, whom->full(), *allow);
}

}  // namespace mbusd::xmpp
