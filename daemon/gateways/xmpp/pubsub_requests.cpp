// What everybody may ask of publish-subscribe (XEP-0060, sections 6 and 7, and making nodes).
#include <algorithm>
#include <charconv>

#include "gateways/xmpp/pubsub_parts.hpp"
#include "gateways/xmpp/pubsub_service.hpp"
#include "pubsub/faults.hpp"

namespace mbusd::xmpp {
namespace {

namespace faults = pubsub::faults;
using xml::element;

constexpr std::string_view options_form = "http://jabber.org/protocol/pubsub#subscribe_options";

pubsub::fault invalid_payload(std::string text) { return {"modify", "bad-request", "invalid-payload", std::move(text)}; }

element form_of(const pubsub::subscription_options& options) {
    auto form = new_form("form", options_form);
    for (const auto& field : pubsub::option_fields()) add_field(form, field.name, "boolean", field.label, options.*field.member ? "1" : "0");
    return form;
}

// At least one item, and no more than an answer takes: of those that may go, the ones at `drop_front`'s end.
void fit_into_answer(page_range& page, const std::vector<std::shared_ptr<const pubsub::item>>& found, bool drop_front) {
    std::size_t octets = 0;
    std::size_t taken = 0;
    for (; taken < page.size(); ++taken) {
        const auto& next = *found[drop_front ? page.end - 1 - taken : page.first + taken];
        octets += next.octets + next.id.size();
        if (taken != 0 && octets > pubsub_answer_octets_max) break;
    }
    if (drop_front) page.first = page.end - taken;
    else page.end = page.first + taken;
}

}  // namespace

pubsub_service::reply pubsub_service::request(const pubsub::requester& who, bool set, const element& pubsub) {
    const auto* what = pubsub.first();
    if (what == nullptr) return bad_request("pubsub needs a child that says what to do");
    if (what->space() != pubsub.space()) return bad_request("what to do stands in the namespace of pubsub itself");
    const auto& name = what->name();
    if (name == "options") return options(who, set, *what);
    if (set) {
        if (name == "create") return create(who, pubsub, *what);
        if (name == "publish") return publish(who, pubsub, *what);
        if (name == "retract") return retract(who, *what);
        if (name == "subscribe") return subscribe(who, pubsub, *what);
        if (name == "unsubscribe") return unsubscribe(who, *what);
    } else {
        if (name == "items") return items(who, pubsub, *what);
        if (name == "subscriptions" || name == "affiliations") return list(who, pubsub, *what, false);
        if (name == "default") {
            element out{ns::pubsub, "pubsub"};
            out.add(ns::pubsub, "default").add(form_of({}));
            return out;
        }
    }
    return bad_request("this service has no request " + name + (set ? " of type set" : " of type get"));
}

pubsub_service::reply pubsub_service::create(const pubsub::requester& who, const element& pubsub, const element& create) {
    const auto* configure = pubsub.child(ns::pubsub, "configure");
    auto config = configure == nullptr ? pubsub::form_fields{} : submitted_in(*configure);
    if (!config) return config.error();
    auto made = nodes_.create(who, create.value_of("node"), *config);
    if (!made) return made.error();
    element out{ns::pubsub, "pubsub"};
    out.add(ns::pubsub, "create").set("node", *made);
    return out;
}

pubsub_service::reply pubsub_service::publish(const pubsub::requester& who, const element& pubsub, const element& publish) {
    const auto entries = publish.elements(ns::pubsub, "item");
    const auto node = publish.value_of("node");
    if (node.empty()) return faults::node_required();
    if (entries.empty()) return pubsub::fault{"modify", "bad-request", "item-required", "publish needs an item"};
    if (entries.size() > 1) return invalid_payload("publish one item at a time");
    const auto payloads = entries.front()->elements();
    if (payloads.empty()) return pubsub::fault{"modify", "bad-request", "payload-required", "the item needs a payload"};
    if (payloads.size() > 1) return invalid_payload("an item has one payload");
    const auto* wanted = pubsub.child(ns::pubsub, "publish-options");
    auto options = wanted == nullptr ? pubsub::form_fields{} : submitted_in(*wanted);
    if (!options) return options.error();
    auto made = nodes_.publish(who, node, entries.front()->value_of("id"), *payloads.front(), *options);
    if (!made) return made.error();
    element out{ns::pubsub, "pubsub"};
    out.add(ns::pubsub, "publish").set("node", node).add(ns::pubsub, "item").set("id", made->id);
    return out;
}

pubsub_service::reply pubsub_service::retract(const pubsub::requester& who, const element& retract) {
    const auto node = retract.value_of("node");
    const auto entries = retract.elements(ns::pubsub, "item");
    if (!node.empty() && entries.empty()) return faults::item_required();
    if (entries.size() > 1) return bad_request("retract one item at a time");
    const auto id = entries.empty() ? std::string_view{} : entries.front()->value_of("id");
    const auto notify = pubsub::flag_from(retract.value_of("notify")).value_or(false);
    auto gone = nodes_.retract(who, node, id, notify);
    if (!gone) return gone.error();
    return nothing();
}

// By id, the newest, or page by page; oldest first.
pubsub_service::reply pubsub_service::items(const pubsub::requester& who, const element& pubsub, const element& items) {
    std::vector<std::string> wanted;
    for (const auto* each : items.elements(ns::pubsub, "item")) wanted.emplace_back(each->value_of("id"));
    std::size_t count = 0;
    if (const auto most = items.get("max_items")) {
        const auto [end, fault] = std::from_chars(most->data(), most->data() + most->size(), count);
        if (fault != std::errc{} || end != most->data() + most->size() || count == 0) return bad_request("max_items is a number above 0");
    }
    const auto node = items.value_of("node");
    auto found = nodes_.items(who, node, count, wanted);
    if (!found) return found.error();
    std::vector<std::string> ids;
    for (const auto& each : *found) ids.push_back(each->id);
    const auto wish = page_wish_in(pubsub, ids.size());
    auto page = page_of(wish, ids);
    if (!page) return faults::no_item(wish.after ? *wish.after : *wish.before);
    // What does not fit into one answer are the oldest, unless these are asked for.
    const bool backwards = wish.before || (!wish.asked && wanted.empty());
    fit_into_answer(*page, *found, backwards);
    element out{ns::pubsub, "pubsub"};
    auto& list = out.add(ns::pubsub, "items");
    list.set("node", node);
    for (auto i = page->first; i < page->end; ++i) list.add(ns::pubsub, "item").set("id", ids[i]).add(*(*found)[i]->payload);
    if (wish.asked || page->size() < ids.size()) add_page(out, *page, ids);
    return out;
}

// --- subscriptions ------------------------------------------------------------------------------------

pubsub_service::reply pubsub_service::subscribe(const pubsub::requester& who, const element& pubsub, const element& subscribe) {
    const auto address = address_in(subscribe);
    if (!address) return address.error();
    const auto* wanted = pubsub.child(ns::pubsub, "options");
    auto options = wanted == nullptr ? pubsub::form_fields{} : submitted_in(*wanted);
    if (!options) return options.error();
    auto made = nodes_.subscribe(who, subscribe.value_of("node"), *address, *options);
    if (!made) return made.error();
    element out{ns::pubsub, "pubsub"};
    out.add(ns::pubsub, "subscription").set("node", made->node).set("jid", made->jid).set("subscription", to_string(made->state));
    return out;
}

pubsub_service::reply pubsub_service::unsubscribe(const pubsub::requester& who, const element& unsubscribe) {
    const auto address = address_in(unsubscribe);
    if (!address) return address.error();
    auto gone = nodes_.unsubscribe(who, unsubscribe.value_of("node"), *address);
    if (!gone) return gone.error();
    return nothing();
}

// Of a subscription (section 6.3).
pubsub_service::reply pubsub_service::options(const pubsub::requester& who, bool set, const element& options) {
    const auto address = address_in(options);
    if (!address) return address.error();
    const auto node = options.value_of("node");
    if (set) {
        const auto* form = options.child(ns::forms, "x");
        if (form == nullptr) return pubsub::fault{"modify", "bad-request", "invalid-options", "options need a form of type submit"};
        if (cancels(*form)) return nothing();
        auto fields = submitted_in(options);
        if (!fields) return fields.error();
        auto done = nodes_.set_options(who, node, *address, *fields);
        if (!done) return done.error();
        return nothing();
    }
    auto now = nodes_.options(who, node, *address);
    if (!now) return now.error();
    element out{ns::pubsub, "pubsub"};
    out.add(ns::pubsub, "options").set("node", node).set("jid", *address).add(form_of(*now));
    return out;
}

}  // namespace mbusd::xmpp
