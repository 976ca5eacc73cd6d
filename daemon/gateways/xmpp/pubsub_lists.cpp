// What there is: nodes, items, subscriptions, affiliations (XEP-0060, section 5; XEP-0030).
#include <array>
#include <ctime>

#include "gateways/xmpp/pubsub_parts.hpp"
#include "gateways/xmpp/pubsub_service.hpp"

namespace mbusd::xmpp {
namespace {

using xml::element;

constexpr auto features = std::to_array<std::string_view>(
    {"access-authorize", "access-open", "access-whitelist", "config-node", "config-node-max", "create-and-configure", "create-nodes", "delete-items",
     "delete-nodes", "instant-nodes", "item-ids", "manage-subscriptions", "member-affiliation", "meta-data", "modify-affiliations", "multi-items",
     "outcast-affiliation", "persistent-items", "publish", "publish-options", "publisher-affiliation", "purge-nodes", "retract-items",
     "retrieve-affiliations", "retrieve-default", "retrieve-default-sub", "retrieve-items", "retrieve-subscriptions", "rsm", "subscribe",
     "subscription-notifications", "subscription-options"});

// Rows and what each is called when a page begins after it.
struct rows {
    std::vector<element> of{};
    std::vector<std::string> ids{};
    element& add(std::string_view space, std::string_view name, std::string id) {
        ids.push_back(std::move(id));
        return of.emplace_back(space, name);
    }
};

// The page of them that the request asks for goes into `list`, and what page it is into `holder`, which may
// be the same. False: it begins after a row that is not there.
bool add_rows(element& list, element& holder, const element& request, rows what) {
    const auto wish = page_wish_in(request, pubsub_rows_max);
    const auto page = page_of(wish, what.ids);
    if (!page) return false;
    for (auto i = page->first; i < page->end; ++i) list.add(std::move(what.of[i]));
    if (wish.asked || page->size() < what.ids.size()) add_page(holder, *page, what.ids);
    return true;
}

pubsub::fault no_such_row() { return {"cancel", "item-not-found", {}, "the list has no row of that name any more; begin again"}; }

std::string date_of(std::uint64_t ms) {
    const auto when = static_cast<std::time_t>(ms / 1000);
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), size};
}

}  // namespace

// Subscriptions or affiliations: one's own, or everybody's for an owner.
pubsub_service::reply pubsub_service::list(const pubsub::requester& who, const element& pubsub, const element& what, bool of_owner) {
    const auto node = what.value_of("node");
    rows all;
    if (what.name() == "subscriptions") {
        auto found = of_owner ? nodes_.subscriptions_of(who, node) : nodes_.subscriptions(who, node);
        if (!found) return found.error();
        for (const auto& each : *found) {
            auto& row = all.add(what.space(), "subscription", of_owner ? each.jid : each.jid + ' ' + each.node);
            if (!of_owner) row.set("node", each.node);
            row.set("jid", each.jid).set("subscription", to_string(each.state));
        }
    } else {
        auto found = of_owner ? nodes_.affiliations_of(who, node) : nodes_.affiliations(who, node);
        if (!found) return found.error();
        for (const auto& each : *found) {
            auto& row = all.add(what.space(), "affiliation", of_owner ? each.jid : each.node);
            if (of_owner) row.set("jid", each.jid);
            else row.set("node", each.node);
            row.set("affiliation", to_string(each.what));
        }
    }
    element out{what.space(), "pubsub"};
    element list{what.space(), what.name()};
    if (!node.empty()) list.set("node", node);
    element page;
    if (!add_rows(list, page, pubsub, std::move(all))) return no_such_row();
    out.add(std::move(list));
    if (const auto* set = page.first()) out.add(*set);
    return out;
}

// --- discovery ----------------------------------------------------------------------------------------------

pubsub_service::reply pubsub_service::disco(const pubsub::requester& who, const element& query) {
    const auto node = query.value_of("node");
    if (query.space() == ns::disco_info) return node.empty() ? describe_service(query) : describe_node(who, query);
    element out{query.space(), "query"};
    rows all;
    if (node.empty()) {
        for (const auto& each : nodes_.nodes(who)) {
            auto& row = all.add(out.space(), "item", each.id);
            row.set("jid", options_.host).set("node", each.id);
            if (!each.title.empty()) row.set("name", each.title);
        }
    } else {
        out.set("node", node);
        auto found = nodes_.items(who, node, 0, {});
        if (!found) return found.error();
        for (const auto& each : *found) all.add(out.space(), "item", each->id).set("jid", options_.host).set("name", each->id);
    }
    if (!add_rows(out, out, query, std::move(all))) return no_such_row();
    return out;
}

pubsub_service::reply pubsub_service::describe_service(const element& query) {
    element out{query.space(), "query"};
    out.add(out.space(), "identity").set("category", "pubsub").set("type", "service").set("name", title());
    for (const auto each : {ns::disco_info, ns::disco_items, ns::ping, ns::result_sets, ns::pubsub}) out.add(out.space(), "feature").set("var", each);
    for (const auto each : features) out.add(out.space(), "feature").set("var", std::string{ns::pubsub} + '#' + std::string{each});
    return out;
}

pubsub_service::reply pubsub_service::describe_node(const pubsub::requester& who, const element& query) {
    auto found = nodes_.look_at(who, query.value_of("node"));
    if (!found) return found.error();
    element out{query.space(), "query"};
    out.set("node", query.value_of("node"));
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

}  // namespace mbusd::xmpp
