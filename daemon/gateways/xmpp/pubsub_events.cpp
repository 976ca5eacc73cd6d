// Changes of nodes as messages to their subscribers (XEP-0060, sections 7 and 8).
#include "atom/entry.hpp"
#include "atom/names.hpp"
#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/pubsub_service.hpp"
#include "xml/writer.hpp"

namespace mbusd::xmpp {
namespace {

using xml::element;

// The text beside an event: a headline, not the entry.
constexpr std::size_t body_octets_max = 1000;

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

void pubsub_service::notify(std::string_view jid, const pubsub::event& what) {
    // Decisions about a subscription name the subscriber inside; all others are the same for everybody.
    const bool same = what.what != pubsub::event::kind::subscribed && what == told_ && !before_to_.empty();
    if (!same) write_event(what, jid);
    const bool somebody = out_.deliver_text(jid, [&](const session&) {
        std::string text = before_to_;
        xml::append_escaped(text, jid);
        return text += after_to_;
    });
    ++(somebody ? counters_.events : counters_.events_unread);
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
    before_to_ = "<message xmlns=\"jabber:client\" from=\"" + options_.host + "\" type=\"" + std::string{what.message_type} + "\" id=\"e" +
                 std::to_string(++events_) + "\" to=\"";
    after_to_ = "\">" + xml::to_text(event, {.inherited = ns::client}) + text_for_people(what) + "</message>";
}

}  // namespace mbusd::xmpp
