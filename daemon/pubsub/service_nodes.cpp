// Nodes: making, changing and removing them (XEP-0060, sections 5 and 8).
#include "pubsub/service.hpp"

#include <algorithm>
#include <utility>

#include "pubsub/faults.hpp"

namespace mbusd::pubsub {

service::service(listener& hears, storage& keeps, clock now, service_limits limits)
    : listener_(hears), storage_(keeps), now_(std::move(now)), limits_(limits) {}

service::~service() = default;

service::node_record* service::find(std::string_view node) const {
    const auto found = nodes_.find(node);
    return found == nodes_.end() ? nullptr : found->second.get();
}

affiliation service::role_of(const node_record& in, std::string_view jid) {
    const auto found = in.people.find(bare_jid(jid));
    return found == in.people.end() ? affiliation::none : found->second;
}

bool service::has_subscription(const node_record& in, std::string_view bare) {
    return std::ranges::any_of(in.subscribers, [&](const auto& each) {
        return each.second.state == subscription_state::subscribed && bare_jid(each.first) == bare;
    });
}

// A whitelist's node does not exist for strangers; nor does any node for its outcasts.
bool service::sees(const node_record& which, const requester& who) {
    const auto role = role_of(which, who.jid);
    if (role == affiliation::outcast) return false;
    return which.config.access != access_model::whitelist || role != affiliation::none;
}

outcome<service::node_record*> service::owned(const requester& who, std::string_view node) const {
    if (node.empty()) return faults::node_required();
    auto* record = find(node);
    if (record == nullptr) return faults::no_node(node);
    if (role_of(*record, who.jid) != affiliation::owner) return faults::not_owner(node);
    return record;
}

std::string service::fresh_id() {
    constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuvwxyz";
    std::string out;
    // The time, so that an id of before a restart is not given again, and a number, so that one of now is not.
    for (auto number : {now_(), ++last_order_}) {
        if (!out.empty()) out += '-';
        std::string part;
        do {
            part.insert(part.begin(), digits[number % digits.size()]);
            number /= digits.size();
        } while (number != 0);
        out += part;
    }
    return out;
}

outcome<std::string> service::create(const requester& who, std::string_view node, const form_fields& config) {
    if (who.guest) return faults::guest("create nodes");
    if (node.size() > limits_.id_octets) return faults::id_too_long("node", limits_.id_octets);
    if (find(node) != nullptr) return faults::node_exists(node);
    const std::string creator{bare_jid(who.jid)};
    if (nodes_.size() >= limits_.nodes || owned_[creator] >= limits_.nodes_of_one) return faults::too_many("nodes");
    auto fresh = std::make_unique<node_record>();
    if (auto refused = fresh->config.apply(config)) return std::move(*refused);
    fresh->id = node.empty() ? fresh_id() : std::string{node};
    fresh->created_ms = now_();
    fresh->creator = creator;
    auto& record = *fresh;
    nodes_.emplace(record.id, std::move(fresh));
    ++owned_[creator];
    storage_.put_node(record.id, record.config, record.created_ms, record.creator);
    set_role(record, creator, affiliation::owner);
    return record.id;
}

outcome<node_config> service::configuration(const requester& who, std::string_view node) const {
    const auto record = owned(who, node);
    if (!record) return record.error();
    return (*record)->config;
}

outcome<done> service::configure(const requester& who, std::string_view node, const form_fields& config) {
    auto record = owned(who, node);
    if (!record) return record.error();
    auto& it = **record;
    const auto before = it.config;
    if (auto refused = it.config.apply(config)) return std::move(*refused);
    if (it.config == before) return done{};
    make_room(it);
    if (it.config.access == access_model::whitelist && before.access != access_model::whitelist) {
        // Who is not on the list is not subscribed any more.
        std::vector<std::string> strangers;
        for (const auto& [jid, how] : it.subscribers) {
            if (role_of(it, jid) == affiliation::none) strangers.push_back(jid);
        }
        for (const auto& jid : strangers) set_state(it, jid, subscription_state::none);
    }
    storage_.put_node(it.id, it.config, it.created_ms, it.creator);
    tell(it, {.what = event::kind::configured, .node = it.id});
    return done{};
}

outcome<done> service::remove(const requester& who, std::string_view node) {
    auto record = owned(who, node);
    if (!record) return record.error();
    auto& it = **record;
    const event gone{.what = event::kind::deleted, .node = it.id, .message_type = it.config.notification_type};
    if (it.config.notify_delete) {
        tell(it, gone);
    } else {
        listener_.changed(gone);
    }
    for (const auto& [order, entry] : it.by_order) octets_ -= entry->octets;
    for (const auto& [jid, how] : it.subscribers) {
        const auto count = subscriptions_.find(std::string{bare_jid(jid)});
        if (count != subscriptions_.end() && --count->second == 0) subscriptions_.erase(count);
    }
    if (auto& count = owned_[it.creator]; count > 0) --count;
    storage_.drop_node(it.id);
    nodes_.erase(nodes_.find(node));
    return done{};
}

outcome<done> service::purge(const requester& who, std::string_view node) {
    auto record = owned(who, node);
    if (!record) return record.error();
    auto& it = **record;
    for (const auto& [order, entry] : it.by_order) octets_ -= entry->octets;
    it.by_order.clear();
    it.order_of.clear();
    storage_.drop_items(it.id);
    tell(it, {.what = event::kind::purged, .node = it.id});
    return done{};
}

std::vector<listed_node> service::nodes(const requester& who) const {
    std::vector<listed_node> out;
    for (const auto& [id, record] : nodes_) {
        if (sees(*record, who)) out.push_back({id, record->config.title});
    }
    return out;
}

outcome<service::node_view> service::look_at(const requester& who, std::string_view node) const {
    const auto* record = find(node);
    if (record == nullptr || !sees(*record, who)) return faults::no_node(node);
    const auto subscribed = std::ranges::count(record->subscribers, subscription_state::subscribed,
                                               [](const auto& each) { return each.second.state; });
    return node_view{&record->config, record->created_ms, record->creator, static_cast<std::size_t>(subscribed)};
}

// To every subscriber, if the node notifies, and once to the observers of all changes.
void service::tell(const node_record& of, const event& what) {
    event full = what;
    full.message_type = of.config.notification_type;
    full.payload = of.config.deliver_payloads;
    const bool body = of.config.include_body && what.what == event::kind::published;
    if (of.config.deliver_notifications) {
        telling_ = true;
        for (const auto& [jid, how] : of.subscribers) {
            if (how.state != subscription_state::subscribed || !how.options.deliver) continue;
            full.body = body && how.options.include_body;
            listener_.notify(jid, full);
        }
        end_telling();
    }
    full.body = false;
    listener_.changed(full);
}

service::sizes service::count() const noexcept {
    sizes out{.nodes = nodes_.size(), .octets = octets_};
    for (const auto& [id, record] : nodes_) {
        out.items += record->by_order.size();
        out.subscriptions += record->subscribers.size();
    }
    return out;
}

void service::restore_node(std::string_view node, const node_config& config, std::uint64_t created_ms, std::string_view creator) {
    auto record = std::make_unique<node_record>();
    record->id = node;
    record->config = config;
    record->created_ms = created_ms;
    record->creator = creator;
    ++owned_[record->creator];
    nodes_[record->id] = std::move(record);
}

}  // namespace mbusd::pubsub
