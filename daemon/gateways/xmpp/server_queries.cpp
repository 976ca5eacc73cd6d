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

bool server::answer_query(session& from, const xml::element& iq, bool to_domain) {
    const bool get = asks(iq) == "get";
    const bool whole_account = !iq.get("to") || !to_domain;
    if (get && query(iq, ns::ping, "ping") != nullptr) {
        send(from, result_of(iq));
        return true;
    }
    if (const auto* asked = get ? query(iq, ns::disco_info, "query") : nullptr; asked != nullptr && asked->value_of("node").empty()) {
        // Without an address the question is for the account (RFC 6120, section 10.3.3).
        send(from, info(iq, to_domain));
        return true;
    }
    if (const auto* asked = get ? query(iq, ns::disco_items, "query") : nullptr; asked != nullptr && asked->value_of("node").empty()) {
        auto out = result_of(iq);
        auto& list = out.add(ns::disco_items, "query");
        if (to_domain) {
            for (const auto* service : services_) list.add(ns::disco_items, "item").set("jid", service->host()).set("name", service->title());
        }
        send(from, out);
        return true;
    }
    if (!whole_account) return false;
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
    if (!get && query(iq, ns::session, "session") != nullptr) {
        send(from, result_of(iq));
        return true;
    }
    return false;
}

}  // namespace mbusd::xmpp
