// Items: publishing, retracting, reading (XEP-0060, sections 6.5 and 7).
#include "pubsub/service.hpp"

#include <algorithm>
#include <utility>

#include "pubsub/faults.hpp"
#include "xml/writer.hpp"

namespace mbusd::pubsub {

bool service::may_publish(const node_record& in, const requester& who) {
    switch (role_of(in, who.jid)) {
    case affiliation::owner:
    case affiliation::publisher: return true;
    case affiliation::outcast: return false;
    case affiliation::member:
    case affiliation::none: break;
    }
    if (who.guest) return false;
    if (in.config.access == access_model::whitelist && role_of(in, who.jid) == affiliation::none) return false;
    return in.config.publish == publish_model::open ||
           (in.config.publish == publish_model::subscribers && has_subscription(in, bare_jid(who.jid)));
}

std::optional<fault> service::refuses_reading(const node_record& in, const requester& who) const {
    const auto role = role_of(in, who.jid);
    if (role == affiliation::outcast) return faults::outcast();
    if (role != affiliation::none) return std::nullopt;
    if (in.config.access == access_model::whitelist) return faults::closed();
    if (in.config.access == access_model::authorize && !has_subscription(in, bare_jid(who.jid))) {
        return faults::not_subscribed_reader();
    }
    return std::nullopt;
}

// Forgets an item; storage is the caller's.
void service::take_out(node_record& from, std::string_view id) {
    const auto found = from.order_of.find(std::string{id});
    if (found == from.order_of.end()) return;
    const auto at = from.by_order.find(found->second);
    octets_ -= at->second->octets;
    from.by_order.erase(at);
    from.order_of.erase(found);
}

// Beyond max_items the oldest go, without an event each (section 12.20).
void service::make_room(node_record& in) {
    while (in.by_order.size() > in.config.max_items) {
        const std::string id = in.by_order.begin()->second->id;
        take_out(in, id);
        storage_.drop_item(in.id, id);
    }
}

outcome<service::published> service::publish(const requester& who, std::string_view node, std::string_view id,
                                             xml::element payload, const form_fields& options) {
    if (node.empty()) return faults::node_required();
    auto* record = find(node);
    if (record == nullptr || (record->config.access == access_model::whitelist && !sees(*record, who))) return faults::no_node(node);
    if (!may_publish(*record, who)) return faults::may_not_publish(node);
    if (id.size() > limits_.id_octets) return faults::id_too_long("item", limits_.id_octets);
    if (const auto field = record->config.differs_from(options)) return faults::precondition(*field);
    const auto octets = xml::to_text(payload).size();
    if (octets > limits_.payload_octets) return faults::payload_too_big(limits_.payload_octets);
    if (octets_ + octets > limits_.octets) return faults::too_many("items");
    if (payload_rule_) {
        if (auto no = payload_rule_(record->config, payload)) return std::move(*no);
    }

    auto fresh = std::make_shared<item>();
    fresh->id = id.empty() ? fresh_id() : std::string{id};
    fresh->payload = std::make_shared<const xml::element>(std::move(payload));
    fresh->publisher = bare_jid(who.jid);
    fresh->order = ++last_order_;
    fresh->edited_ms = now_();
    fresh->octets = octets;
    const bool is_new = !record->order_of.contains(fresh->id);
    published out{fresh->id, is_new, fresh};
    if (record->config.persist_items) {
        take_out(*record, fresh->id);  // a new version counts as the newest (section 12.8)
        record->order_of[fresh->id] = fresh->order;
        record->by_order[fresh->order] = fresh;
        octets_ += octets;
        storage_.put_item(record->id, *fresh);
        make_room(*record);
    }
    tell(*record, {.what = event::kind::published, .node = record->id, .item_id = out.id, .entry = fresh, .fresh = is_new});
    return out;
}

outcome<done> service::retract(const requester& who, std::string_view node, std::string_view id, bool notify) {
    if (node.empty()) return faults::node_required();
    auto* record = find(node);
    if (record == nullptr || (record->config.access == access_model::whitelist && !sees(*record, who))) return faults::no_node(node);
    if (id.empty()) return faults::item_required();
    const auto role = role_of(*record, who.jid);
    const auto found = record->order_of.find(std::string{id});
    // Publishers may take back what is their own, owners everything.
    const bool own = found != record->order_of.end() && record->by_order.at(found->second)->publisher == bare_jid(who.jid);
    if (role != affiliation::owner && role != affiliation::publisher && !(own && may_publish(*record, who))) {
        return faults::may_not_publish(node);
    }
    if (found == record->order_of.end()) return faults::no_item(id);
    const auto last = record->by_order.at(found->second);
    take_out(*record, id);
    storage_.drop_item(record->id, id);
    const event gone{.what = event::kind::retracted, .node = record->id, .item_id = last->id, .entry = last};
    if (notify || record->config.notify_retract) {
        tell(*record, gone);
    } else {
        listener_.changed(gone);
    }
    return done{};
}

outcome<std::vector<std::shared_ptr<const item>>> service::items(const requester& who, std::string_view node, std::size_t count,
                                                                 const std::vector<std::string>& ids) const {
    if (node.empty()) return faults::node_required();
    const auto* record = find(node);
    if (record == nullptr) return faults::no_node(node);
    if (auto no = refuses_reading(*record, who)) return std::move(*no);
    std::vector<std::shared_ptr<const item>> out;
    if (!ids.empty()) {
        for (const auto& id : ids) {
            if (const auto found = record->order_of.find(id); found != record->order_of.end()) out.push_back(record->by_order.at(found->second));
        }
        return out;
    }
    for (auto at = record->by_order.rbegin(); at != record->by_order.rend() && (count == 0 || out.size() < count); ++at) {
        out.push_back(at->second);
    }
    std::ranges::reverse(out);
    return out;
}

void service::send_last(const node_record& of, std::string_view jid, const subscription_options& options) {
    if (of.config.send_last == last_item::never || of.by_order.empty() || !options.deliver) return;
    const auto& newest = of.by_order.rbegin()->second;
    listener_.notify(jid, {.what = event::kind::published, .node = of.id, .item_id = newest->id, .entry = newest, .fresh = false,
                           .payload = of.config.deliver_payloads, .body = of.config.include_body && options.include_body, .message_type = of.config.notification_type});
}

void service::restore_item(std::string_view node, item what) {
    auto* record = find(node);
    if (record == nullptr) return;
    take_out(*record, what.id);
    last_order_ = std::max(last_order_, what.order);
    octets_ += what.octets;
    record->order_of[what.id] = what.order;
    const auto order = what.order;
    record->by_order[order] = std::make_shared<const item>(std::move(what));
}

}  // namespace mbusd::pubsub
