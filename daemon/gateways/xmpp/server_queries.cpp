// What the domain answers for itself and for the account of who asks. Everything else is
// service-unavailable, which every client takes for "not here".
#include <array>

#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/server.hpp"
#include "gateways/xmpp/stanza.hpp"

namespace mbusd::xmpp {
namespace {

constexpr std::string_view carbons = "urn:xmpp:carbons:2";  // XEP-0280

constexpr std::array<std::string_view, 5> features{ns::disco_info, ns::disco_items, ns::ping, ns::management, ns::blocking};

xml::element info(const xml::element& iq, bool of_domain) {
    auto out = result_of(iq);
    auto& query = out.add(ns::disco_info, "query");
    auto& identity = query.add(ns::disco_info, "identity");
    if (of_domain) identity.set("category", "server").set("type", "im").set("name", "mbusd");
    else identity.set("category", "account").set("type", "registered");
    if (!of_domain) {
        query.add(ns::disco_info, "feature").set("var", ns::disco_info);
        return out;
    }
    for (const auto each : features) query.add(ns::disco_info, "feature").set("var", each);
    return out;
}

}  // namespace

// Without an address the question is for the account (RFC 6120, section 10.3.3).
bool server::answer_disco(session& from, const xml::element& iq, bool to_domain) {
    const auto* about = query(iq, ns::disco_info, "query");
    const auto* items = query(iq, ns::disco_items, "query");
    if (about == nullptr && items == nullptr) return false;
    if (!(about != nullptr ? about : items)->value_of("node").empty()) {
        refuse(from, iq, {"cancel", "item-not-found", "there are no nodes here"});
    } else if (about != nullptr) {
        send(from, info(iq, to_domain));
    } else {
        auto out = result_of(iq);
        auto& list = out.add(ns::disco_items, "query");
        if (to_domain) {
            for (const auto* service : services_) list.add(ns::disco_items, "item").set("jid", service->host()).set("name", service->title());
        }
        send(from, out);
    }
    return true;
}

bool server::answer_query(session& from, const xml::element& iq, bool to_domain) {
    const bool get = asks(iq) == "get";
    const bool own_account = !iq.get("to") || !to_domain;
    if (get && query(iq, ns::ping, "ping") != nullptr) {
        send(from, result_of(iq));
        return true;
    }
    if (get && answer_disco(from, iq, to_domain)) return true;
    // Old clients send it to the domain (RFC 3921, section 3).
    if (!get && query(iq, ns::session, "session") != nullptr) {
        send(from, result_of(iq));
        return true;
    }
    if (!own_account) return false;
    if (get && query(iq, ns::roster, "query") != nullptr) {
        // Nobody has contacts here; who is there is told by the bus.
        auto out = result_of(iq);
        out.add(ns::roster, "query");
        send(from, out);
        return true;
    }
    if (answer_blocking(from, iq)) return true;
    const bool asks_carbons = query(iq, carbons, "enable") != nullptr || query(iq, carbons, "disable") != nullptr;
    if (!get && asks_carbons) {
        send(from, result_of(iq));
        return true;
    }
    return false;
}

}  // namespace mbusd::xmpp
