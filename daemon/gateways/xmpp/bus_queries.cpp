// What bus.DOMAIN answers about the bus: who is there (XEP-0030, XEP-0059), and who comes and goes.
#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "gateways/xmpp/bus_service.hpp"
#include "gateways/xmpp/namespaces.hpp"

namespace mbusd::xmpp {
namespace {

using mbus::errc;
using mbus::mbws::entity_state;
using xml::element;

// Who is there now, in the order of their addresses.
struct census final : entity_observer {
    explicit census(const mbus::address& wanted) : pattern(wanted) {}
    void entity_changed(const mbus::address& who, entity_state, bool local, const participant*) override {
        if (who.answers_to(pattern)) found.emplace_back(who, local);
    }
    const mbus::address& pattern;
    std::vector<std::pair<mbus::address, bool>> found{};
};

}  // namespace

void bus_service::query(const std::shared_ptr<member>& from, const jid& to, const element& iq) {
    const auto& payload = *iq.first();
    const bool get = asks(iq) == "get";
    if (get && payload.is(ns::ping, "ping")) return out_.send(*from->who, result_of(iq));
    const bool items = get && payload.is(ns::disco_items, "query");
    const bool about = get && payload.is(ns::disco_info, "query");
    const bool command = !get && payload.is(ns::bus, "command");
    if (!items && !about && !command) {
        ++counters_.refused;
        return out_.send(*from->who, error_of(iq, {"cancel", "service-unavailable"}));
    }
    const auto whom = address_in(*from, to, iq);
    if (!whom) return;
    if (about) return info(*from, to, *whom, iq);
    if (!on_the_bus(*from, iq)) return;
    if (items) return list(*from, *whom, iq);
    start_call(from, *whom, iq);
}

void bus_service::info(member& from, const jid& to, const mbus::address& whom, const element& iq) {
    const auto* asked = iq.first();
    bool known = asked->value_of("node").empty();
    const bool one = !to.resource.empty();
    if (one) {
        if (!on_the_bus(from, iq)) return;
        census here{whom};
        hub_.for_each_known(here);
        known = known && !here.found.empty();
    }
    if (!known) return refuse(from, iq, {errc::no_match, one ? fmt::format("nobody on the bus answers to {}", whom.text()) : "the bus has no nodes"});
    auto out = result_of(iq);
    auto& query = out.add(ns::disco_info, "query");
    auto& identity = query.add(ns::disco_info, "identity");
    if (one) identity.set("category", "client").set("type", "bot").set("name", whom.text());
    else identity.set("category", "component").set("type", "generic").set("name", title());
    // Clients that browse services (Converse) ask nobody but servers for their items.
    if (!one) query.add(ns::disco_info, "identity").set("category", "server").set("type", "im").set("name", title());
    for (const auto each : {ns::bus, ns::receipts, ns::ping, ns::disco_info, ns::disco_items}) {
        query.add(ns::disco_info, "feature").set("var", each);
    }
    if (!one) query.add(ns::disco_info, "feature").set("var", ns::result_sets);
    out_.send(*from.who, out);
}

void bus_service::list(member& from, const mbus::address& pattern, const element& iq) {
    census here{pattern};
    hub_.for_each_known(here);
    std::ranges::sort(here.found);
    const auto* wanted = iq.first()->child(ns::result_sets, "set");
    std::size_t most = disco_entities_max;
    std::size_t first = 0;
    if (wanted != nullptr) {
        if (const auto* max = wanted->child(ns::result_sets, "max")) {
            const auto text = max->text();
            std::from_chars(text.data(), text.data() + text.size(), most);
            most = std::min(most, disco_entities_max);
        }
        if (const auto* after = wanted->child(ns::result_sets, "after")) {
            const auto last = after->text();
            while (first < here.found.size() && here.found[first].first.text() <= last) ++first;
        }
    }
    const auto end = std::min(here.found.size(), first + most);
    auto out = result_of(iq);
    auto& query = out.add(ns::disco_items, "query");
    for (auto i = first; i < end; ++i) {
        const auto text = here.found[i].first.text();
        if (text.size() > jid_part_octets_max) continue;
        query.add(ns::disco_items, "item").set("jid", jid_of(text)).set("name", text);
    }
    if (wanted != nullptr || end < here.found.size()) {
        auto& set = query.add(ns::result_sets, "set");
        if (first < end) {
            set.add(ns::result_sets, "first").set("index", std::to_string(first)).add_text(here.found[first].first.text());
            set.add(ns::result_sets, "last").add_text(here.found[end - 1].first.text());
        }
        set.add(ns::result_sets, "count").add_text(std::to_string(here.found.size()));
    }
    out_.send(*from.who, out);
}

// --- presence -------------------------------------------------------------------------------------------

void bus_service::presence(member& from, const jid& to, const element& stanza) {
    const auto type = stanza.value_of("type");
    const bool subscribe = type == "subscribe" || type == "probe";
    if (!subscribe && type != "unsubscribe") {
        ++counters_.ignored;
        return;
    }
    const auto answer = [&](std::string_view what) {
        element out{ns::client, "presence"};
        out.set("from", stanza.value_of("to")).set("to", from.who->jid()).set("type", what);
        out_.send(*from.who, out);
    };
    const auto self = members_.at(from.who);
    if (type == "unsubscribe") {
        std::erase(watchers_, self);
        from.watched.reset();
        return answer("unsubscribed");
    }
    const auto pattern = address_in(from, to, stanza);
    if (!pattern || !on_the_bus(from, stanza)) return;
    if (type == "probe") {
        if (!from.watched) return answer("unsubscribed");  // RFC 6121, section 4.3.2
    } else {
        if (!from.watched) watchers_.push_back(self);
        from.watched = *pattern;
        answer("subscribed");
    }
    census here{*from.watched};
    hub_.for_each_known(here);
    for (const auto& [who, local] : here.found) {
        if (from.who == nullptr) return;  // too much waited for it
        tell(from, who, entity_state::present, local);
    }
}

void bus_service::tell(member& to, const mbus::address& who, entity_state state, bool local) {
    if (who.text().size() > jid_part_octets_max) return;  // it has no JID
    element out{ns::client, "presence"};
    out.set("from", jid_of(who.text())).set("to", to.who->jid());
    if (state == entity_state::left || state == entity_state::lost) out.set("type", "unavailable");
    out.add(ns::bus, "entity").set("state", to_string(state)).set("local", local ? "true" : "false");
    ++counters_.presences;
    out_.send(*to.who, out);
}

void bus_service::entity_changed(const mbus::address& who, entity_state state, bool local, const participant*) {
    if (watchers_.empty()) return;
    const auto all = watchers_;  // one that is too far behind leaves the list
    for (const auto& each : all) {
        if (each->who != nullptr && each->watched && who.answers_to(*each->watched)) tell(*each, who, state, local);
    }
}

}  // namespace mbusd::xmpp
