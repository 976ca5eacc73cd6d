// Subscriptions and affiliations (XEP-0060, sections 5.6, 5.7, 6.1, 6.2, 8.6 to 8.9).
#include "pubsub/service.hpp"

#include <algorithm>
#include <utility>

#include "pubsub/faults.hpp"

namespace mbusd::pubsub {

void service::set_state(node_record& in, const std::string& jid, subscription_state state) {
    const auto found = in.subscribers.find(jid);
    if (state == subscription_state::none) {
        if (found == in.subscribers.end()) return;
        in.subscribers.erase(found);
        const auto count = subscriptions_.find(std::string{bare_jid(jid)});
        if (count != subscriptions_.end() && --count->second == 0) subscriptions_.erase(count);
        storage_.put_subscription({in.id, jid, state});
        return;
    }
    found->second.state = state;
    storage_.put_subscription({in.id, jid, state, found->second.options});
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
    for (const auto& [address, how] : in.subscribers) {
        if (bare_jid(address) == jid) gone.push_back(address);
    }
    for (const auto& address : gone) set_state(in, address, subscription_state::none);
}

void service::ask_owners(const node_record& of, const subscription& about) {
    std::vector<std::string> owners;
    for (const auto& [person, what] : of.people) {
        if (what == affiliation::owner) owners.push_back(person);
    }
    listener_.approval_wanted(owners, about);
}

outcome<subscription> service::subscribe(const requester& who, std::string_view node, std::string_view jid, const form_fields& options) {
    if (node.empty()) return faults::node_required();
    if (jid.empty()) return faults::jid_required();
    auto* record = find(node);
    if (record == nullptr) return faults::no_node(node);
    if (bare_jid(jid) != bare_jid(who.jid)) return faults::foreign_jid();
    const auto role = role_of(*record, who.jid);
    if (role == affiliation::outcast) return faults::outcast();
    if (record->config.access == access_model::whitelist && role == affiliation::none) return faults::closed();
    const std::string address{jid};
    const auto found = record->subscribers.find(address);
    if (found != record->subscribers.end() && found->second.state == subscription_state::pending) return faults::pending();
    subscription_options asked = found == record->subscribers.end() ? subscription_options{} : found->second.options;
    if (auto no = asked.apply(options)) return std::move(*no);
    if (found != record->subscribers.end()) {
        if (asked != std::exchange(found->second.options, asked)) set_state(*record, address, found->second.state);
        return subscription{record->id, address, found->second.state, asked};
    }
    const auto mine = subscriptions_.find(std::string{bare_jid(jid)});
    const auto most = who.guest ? std::min(limits_.subscriptions_of_guest, limits_.subscriptions_of_one) : limits_.subscriptions_of_one;
    if (record->subscribers.size() >= limits_.subscriptions_of_node || (mine != subscriptions_.end() && mine->second >= most)) {
        return faults::too_many("subscriptions");
    }
    const bool waits = record->config.access == access_model::authorize && role == affiliation::none;
    const subscription made{record->id, address, waits ? subscription_state::pending : subscription_state::subscribed, asked};
    record->subscribers[address].options = asked;
    ++subscriptions_[std::string{bare_jid(jid)}];
    set_state(*record, address, made.state);
    if (waits) ask_owners(*record, made);
    else send_last(*record, address, asked);
    return made;
}

outcome<service::node_record*> service::with_subscription(const requester& who, std::string_view node, std::string_view jid) const {
    if (node.empty()) return faults::node_required();
    if (jid.empty()) return faults::jid_required();
    auto* record = find(node);
    if (record == nullptr) return faults::no_node(node);
    if (bare_jid(jid) != bare_jid(who.jid)) return fault{"auth", "forbidden", {}, "only your own subscriptions have options for you"};
    if (!record->subscribers.contains(jid)) return faults::not_subscribed();
    return record;
}

outcome<subscription_options> service::options(const requester& who, std::string_view node, std::string_view jid) const {
    const auto record = with_subscription(who, node, jid);
    if (!record) return record.error();
    return (*record)->subscribers.find(jid)->second.options;
}

outcome<done> service::set_options(const requester& who, std::string_view node, std::string_view jid, const form_fields& options) {
    const auto record = with_subscription(who, node, jid);
    if (!record) return record.error();
    auto& mine = (*record)->subscribers.find(jid)->second;
    if (auto no = mine.options.apply(options)) return std::move(*no);
    set_state(**record, std::string{jid}, mine.state);
    return done{};
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
        for (const auto& [jid, how] : from.subscribers) {
            if (bare_jid(jid) == bare_jid(who.jid)) out.push_back({from.id, jid, how.state, how.options});
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
    for (const auto& [jid, how] : (*record)->subscribers) out.push_back({(*record)->id, jid, how.state, how.options});
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
        if (found == (*record)->subscribers.end() || found->second.state == each.state) continue;
        const auto options = found->second.options;
        set_state(**record, each.jid, each.state);
        listener_.notify(each.jid, {.what = event::kind::subscribed, .node = (*record)->id, .state = each.state});
        if (each.state == subscription_state::subscribed) send_last(**record, each.jid, options);
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
    std::erase_if(people, [](const auto& each) { return each.second == affiliation::none; });
    if (people.size() > limits_.affiliations_of_node) return faults::too_many("affiliations");
    if (std::ranges::none_of(people, [](const auto& each) { return each.second == affiliation::owner; })) return faults::last_owner();
    for (const auto& each : wanted) set_role(**record, each.jid, each.what);
    return done{};
}

outcome<done> service::decide(const requester& who, std::string_view node, std::string_view jid, bool allow) {
    auto record = owned(who, node);
    if (!record) return record.error();
    const std::string address{jid};
    const auto found = (*record)->subscribers.find(address);
    // Another owner was faster, or the subscriber has given up (section 8.6).
    if (found == (*record)->subscribers.end() || found->second.state != subscription_state::pending) return done{};
    const auto state = allow ? subscription_state::subscribed : subscription_state::none;
    const auto options = found->second.options;
    set_state(**record, address, state);
    listener_.notify(address, {.what = event::kind::subscribed, .node = (*record)->id, .state = state});
    if (allow) send_last(**record, address, options);
    return done{};
}

void service::forget(std::string_view jid) {
    if (telling_) {
        leaving_.emplace_back(jid);
        return;
    }
    const std::string address{jid};
    for (const auto& [id, record] : nodes_) set_state(*record, address, subscription_state::none);
}

void service::end_telling() {
    telling_ = false;
    for (const auto& jid : std::exchange(leaving_, {})) forget(jid);
}

void service::came(std::string_view jid) {
    const auto bare = bare_jid(jid);
    telling_ = true;
    for (const auto& [id, record] : nodes_) {
        if (record->config.send_last == last_item::on_sub_and_presence) {
            for (const auto address : {jid, bare}) {
                const auto found = record->subscribers.find(address);
                if (found == record->subscribers.end() || found->second.state != subscription_state::subscribed) continue;
                send_last(*record, jid, found->second.options);
                break;
            }
        }
        if (record->config.access != access_model::authorize || role_of(*record, jid) != affiliation::owner) continue;
        for (const auto& [address, how] : record->subscribers) {
            if (how.state == subscription_state::pending) listener_.approval_wanted({std::string{jid}}, {record->id, address, how.state, how.options});
        }
    }
    end_telling();
}

void service::restore_subscription(const subscription& what) {
    auto* record = find(what.node);
    if (record == nullptr || what.state == subscription_state::none) return;
    if (record->subscribers.insert_or_assign(what.jid, subscriber{what.state, what.options}).second) ++subscriptions_[std::string{bare_jid(what.jid)}];
}

void service::restore_affiliation(const affiliated& what) {
    if (auto* record = find(what.node)) record->people[what.jid] = what.what;
}

}  // namespace mbusd::pubsub
