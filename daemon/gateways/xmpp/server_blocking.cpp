// Blocking (XEP-0191): the account's list, its changes, and who is told of them.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gateways/xmpp/namespaces.hpp"
#include "gateways/xmpp/server.hpp"
#include "gateways/xmpp/stanza.hpp"

namespace mbusd::xmpp {
namespace {

constexpr stanza_fault guests_keep_nothing{"cancel", "not-allowed", "guests keep no block list"};

void add_items(xml::element& to, const std::vector<jid>& whom) {
    for (const auto& each : whom) to.add(ns::blocking, "item").set("jid", each.full());
}

}  // namespace

bool server::answer_blocking(session& from, const xml::element& iq) {
    const bool get = asks(iq) == "get";
    if (get && query(iq, ns::blocking, "blocklist") != nullptr) {
        from.wants_blocks = true;
        auto out = result_of(iq);
        auto& list = out.add(ns::blocking, "blocklist");
        for (const auto& each : blocked_.of(from.user())) list.add(ns::blocking, "item").set("jid", each);
        send(from, out);
        return true;
    }
    const auto* change = get ? nullptr : query(iq, ns::blocking, "block");
    const bool block = change != nullptr;
    if (!get && !block) change = query(iq, ns::blocking, "unblock");
    if (change == nullptr) return false;
    change_blocks(from, iq, *change, block);
    return true;
}

void server::change_blocks(session& from, const xml::element& iq, const xml::element& change, bool block) {
    if (from.guest()) return refuse(from, iq, guests_keep_nothing);
    std::vector<jid> whom;
    for (const auto* item : change.elements(ns::blocking, "item")) {
        auto one = jid::parse(item->value_of("jid"));
        if (!one) return refuse(from, iq, {"modify", "jid-malformed", "the jid of an item is no XMPP address"});
        if (block && one->local.empty() && is_own_host(one->domain)) {
            return refuse(from, iq, {"cancel", "not-allowed", "the domain and its services can't be blocked; unsubscribe from them"});
        }
        whom.push_back(std::move(*one));
    }
    if (block && whom.empty()) return refuse(from, iq, {"modify", "bad-request", "block needs an item"});
    if (whom.empty()) {  // all of them (XEP-0191, section 3.5)
        for (const auto& each : block_lists::jid_list{blocked_.of(from.user())}) blocked_.remove(from.user(), *jid::parse(each));
    }
    for (const auto& each : whom) {
        if (!block) blocked_.remove(from.user(), each);
        else if (!blocked_.add(from.user(), each)) return refuse(from, iq, {"wait", "resource-constraint", "the block list is full; unblock somebody"});
    }
    send(from, result_of(iq));
    // Every session of the account that has read the list, this one too (XEP-0191, section 3.3).
    const auto siblings = by_bare_.find(from.bare());
    if (siblings == by_bare_.end()) return;
    for (auto* each : std::vector<session*>{siblings->second}) {
        if (!each->wants_blocks) continue;
        xml::element push{ns::client, "iq"};
        push.set("type", "set").set("id", "block" + std::to_string(++pushes_)).set("to", each->jid());
        add_items(push.add(ns::blocking, block ? "block" : "unblock"), whom);
        send(*each, push);
    }
}

bool server::is_own_host(std::string_view host) const {
    if (host == options_.domain) return true;
    return std::ranges::any_of(services_, [host](const auto* each) { return each->host() == host; });
}

}  // namespace mbusd::xmpp
