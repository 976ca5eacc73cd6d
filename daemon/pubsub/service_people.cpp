// Subscriptions and affiliations (XEP-0060, sections 5.6, 5.7, 6.1, 6.2, 8.6 to 8.9).
#include "pubsub/service.hpp"

#include <algorithm>
#include <utility>

#include "pubsub/faults.hpp"

namespace mbusd::pubsub {

void service::set_state(node_record& in, const std::string& jid, subscription_state state) {
    const auto found = in.subscribers.find(jid);
    auto& count = subscriptions_[std::string{bare_jid(jid)}];
    if (state == subscription_state::none) {
        if (found == in.subscribers.end()) return;
        in.subscribers.erase(found);
        if (count > 0) --count;
    } else if (found == in.subscribers.end()) {
        in.subscribers.emplace(jid, state);
        ++count;
    } else {
        found->second = state;
    }
    storage_.put_subscription({in.id, jid, state});
}

void service::set_role(node_record& in, const std::string& jid, affiliation what) {
    if (what == affiliation::none) {
        in.people.erase(jid);
    } else {
        in.people[jid] = what;
    }
    storage_.put_affiliation({in.id, jid, what});
    if (what != affiliation::outcast && !(what == affiliation::none && in.config.access == access_model::whitelist)) return;
    // Out means out: nothing more is sent there.
    std::vector<std::string> gone;
    for (const auto& [subscriber, state] : in.subscribers) {
        if (bare_jid(subscriber) == jid) gone.push_back(subscriber);
    }
    for (const auto& subscriber : gone) set_state(in, subscriber, subscription_state::none);
}

outcome<subscription> service::subscribe(const requester& who, std::string_view node, std::string_view jid) {
    if (node.empty()) return faults::node_required();
    if (jid.empty()) return faults::jid_required();
    auto* record = find(node);
    if (record == nullptr) return faults::no_node(node);
    if (bare_jid(jid) != bare_jid(who.jid)) return faults::foreign_jid();
    const auto role = role_of(*record, who.jid);
    if (role == affiliation::outcast) return faults::outcast();
    if (record->config.access == access_model::whitelist && role == affiliation::none) return faults::closed();
    const std::string subscriber{jid};
    if (const auto found = record->subscribers.find(subscriber); found != record->subscribers.end()) {
        return subscription{record->id, subscriber, found->second};
    }
    const auto mine = subscriptions_.find(std::string{bare_jid(jid)});
    if (record->subscribers.size() >= limits_.subscriptions_of_node ||
        (mine != subscriptions_.end() && mine->second >= limits_.subscriptions_of_one)) {
        return faults::too_many("subscriptions");
    }
    const bool waits = record->config.access == access_model::authorize && role == affiliation::none;
    const subscription made{record->id, subscriber, waits ? subscription_state::pending : subscription_state::subscribed};
    set_state(*record, subscriber, made.state);
    if (waits) {
        std::vector<std::string> owners;
        for (const auto& [person, what] : record->people) {
            if (what == affiliation::owner) owners.push_back(person);
        }
        listener_.approval_wanted(owners, made);
    } else {
        send_last(*record, subscriber);
    }
    return made;
}

outcome<done> service::unsubscribe(const requester& who, std::string_view node, std::string_view jid) {
    if (node.empty()) return faults::node_required();
    if (jid.empty()) return faults::jid_required();
    auto* record = find(node);
    if (record == nullptr) return faults::no_node(node);
    if (bare_jid(jid) != bare_jid(who.jid)) return fault{"auth", "forbidden", {}, "only your own subscriptions can be ended"};
    if (!record->subscribers.contains(std::string{jid})) return faults::not_subscribed();
    set_state(*record, std::string{jid}, subscription_state::none);
    return done{};
}

outcome<std::vector<subscription>> service::subscriptions(const requester& who, std::string_view node) const {
    std::vector<subscription> out;
    const auto collect = [&](const node_record& from) {
        for (const auto& [jid, state] : from.subscribers) {
            if (bare_jid(jid) == bare_jid(who.jid)) out.push_back({from.id, jid, state});
        }
    };
    if (!node.empty()) {
        const auto* record = find(node);
        if (record == nullptr) return faults::no_node(node);
        collect(*record);
        return out;
    }
    for (const auto& [id, record] : nodes_) collect(*record);
    return out;
}

outcome<std::vector<affiliated>> service::affiliations(const requester& who, std::string_view node) const {
    std::vector<affiliated> out;
    const std::string me{bare_jid(who.jid)};
    if (!node.empty()) {
        const auto* record = find(node);
        if (record == nullptr) return faults::no_node(node);
        out.push_back({record->id, me, role_of(*record, me)});
        return out;
    }
    for (const auto& [id, record] : nodes_) {
        if (const auto role = role_of(*record, me); role != affiliation::none) out.push_back({id, me, role});
    }
    return out;
}

outcome<std::vector<subscription>> service::subscriptions_of(const requester& who, std::string_view node) const {
    const auto record = owned(who, node);
    if (!record) return record.error();
    std::vector<subscription> out;
    for (const auto& [jid, state] : (*record)->subscribers) out.push_back({(*record)->id, jid, state});
    return out;
}

outcome<std::vector<affiliated>> service::affiliations_of(const requester& who, std::string_view node) const {
    const auto record = owned(who, node);
    if (!record) return record.error();
    std::vector<affiliated> out;
    for (const auto& [jid, what] : (*record)->people) out.push_back({(*record)->id, jid, what});
    return out;
}

outcome<done> service::set_subscriptions(const requester& who, std::string_view node, const std::vector<subscription>& wanted) {
    auto record = owned(who, node);
    if (!record) return record.error();
    for (const auto& each : wanted) {
        if (each.jid.empty()) return faults::jid_required();
        if (each.state != subscription_state::none && !(*record)->subscribers.contains(each.jid)) {
            return faults::bad_list("only who has asked can be subscribed; " + each.jid + " has not");
        }
    }
    for (const auto& each : wanted) {
        const auto found = (*record)->subscribers.find(each.jid);
        if (found == (*record)->subscribers.end() || found->second == each.state) continue;
        set_state(**record, each.jid, each.state);
        listener_.notify(each.jid, {.what = event::kind::subscribed, .node = (*record)->id, .state = each.state});
        if (each.state == subscription_state::subscribed) send_last(**record, each.jid);
    }
    return done{};
}

outcome<done> service::set_affiliations(const requester& who, std::string_view node, const std::vector<affiliated>& wanted) {
    auto record = owned(who, node);
    if (!record) return record.error();
    auto people = (*record)->people;
    for (const auto& each : wanted) {
        if (each.jid.empty()) return faults::jid_required();
        if (bare_jid(each.jid) != each.jid) return faults::bad_list("an affiliation is for a bare address, not " + each.jid);
        people[each.jid] = each.what;
    }
    if (std::ranges::none_of(people, [](const auto& each) { return each.second == affiliation::owner; })) return faults::last_owner();
    for (const auto& each : wanted) set_role(**record, each.jid, each.what);
    return done{};
}

outcome<done> service::decide(const requester& who, std::string_view node, std::string_view jid, bool allow) {
    auto record = owned(who, node);
    if (!record) return record.error();
    const std::string subscriber{jid};
    const auto found = (*record)->subscribers.find(subscriber);
    // Another owner was faster, or the subscriber has given up (section 8.6).
    if (found == (*record)->subscribers.end() || found->second != subscription_state::pending) return done{};
    const auto state = allow ? subscription_state::subscribed : subscription_state::none;
    set_state(**record, subscriber, state);
    listener_.notify(subscriber, {.what = event::kind::subscribed, .node = (*record)->id, .state = state});
    if (allow) send_last(**record, subscriber);
    return done{};
}

void service::forget(std::string_view jid) {
    for (const auto& [id, record] : nodes_) {
        std::vector<std::string> gone;
        for (const auto& [subscriber, state] : record->subscribers) {
            if (subscriber == jid) gone.push_back(subscriber);
        }
        for (const auto& subscriber : gone) set_state(*record, subscriber, subscription_state::none);
    }
}

void service::restore_subscription(const subscription& what) {
    auto* record = find(what.node);
    if (record == nullptr || what.state == subscription_state::none) return;
    if (record->subscribers.insert_or_assign(what.jid, what.state).second) ++subscriptions_[std::string{bare_jid(what.jid)}];
}

void service::restore_affiliation(const affiliated& what) {
    if (auto* record = find(what.node)) record->people[what.jid] = what.what;
}

}  // namespace mbusd::pubsub
