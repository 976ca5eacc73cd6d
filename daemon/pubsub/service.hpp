// The publish-subscribe service (XEP-0060), below its gateways: what a client of XMPP and one of HTTP
// do here is indistinguishable afterwards.
//
//     service pubsub{listener, storage, clock};
//     auto made = pubsub.create(ann, "news", {});
//     pubsub.subscribe(bob, "news", "bob@bus.example");
//     pubsub.publish(ann, "news", "i1", entry, {});        // listener.notify("bob@bus.example", event)
//
// Everything is in memory, and storage hears of each change. Not thread-safe. The listener is called
// during the calls and may not call the service.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pubsub/node_config.hpp"
#include "pubsub/subscription_options.hpp"
#include "pubsub/types.hpp"

namespace mbusd::pubsub {

struct subscription {
    std::string node{};
    std::string jid{};  // bare or full: where events go
    subscription_state state = subscription_state::none;
    subscription_options options{};
};

// Who hears of events.
class listener {
public:
    // For one subscription, in the order of the changes. `jid` is as subscribed.
    virtual void notify(std::string_view jid, const event& what) = 0;
    // Once for each change of any node: for feeds and the bus.
    virtual void changed(const event& what) = 0;
    // A subscription waits for the approval of these owners (XEP-0060, section 8.6).
    virtual void approval_wanted(const std::vector<std::string>& owners, const subscription& what) = 0;

protected:
    ~listener() = default;
};

// Who keeps what must survive.
class storage {
public:
    virtual void put_node(std::string_view node, const node_config& config, std::uint64_t created_ms, std::string_view creator) = 0;
    virtual void drop_node(std::string_view node) = 0;  // with all that is in it
    virtual void put_item(std::string_view node, const item& what) = 0;
    virtual void drop_item(std::string_view node, std::string_view id) = 0;
    virtual void drop_items(std::string_view node) = 0;
    virtual void put_subscription(const subscription& what) = 0;  // state none: drop it
    virtual void put_affiliation(const affiliated& what) = 0;     // none: drop it

protected:
    ~storage() = default;
};

struct service_limits {
    std::size_t nodes = 10000;
    std::size_t nodes_of_one = 1000;            // that one account owns
    std::size_t subscriptions_of_one = 1000;
    std::size_t subscriptions_of_guest = 50;    // they cost nothing to make up
    std::size_t subscriptions_of_node = 100000;
    std::size_t affiliations_of_node = 10000;
    std::size_t payload_octets = 256 * 1024;    // as a stanza (RFC 6120, section 13.12)
    std::size_t octets = 256 * 1024 * 1024;     // of all payloads
    std::size_t id_octets = 1024;               // of node and item ids
};

struct listed_node {
    std::string id;
    std::string title;
};

class service {
public:
    using clock = std::function<std::uint64_t()>;  // ms since 1970

    service(listener& hears, storage& keeps, clock now, service_limits limits = {});
    ~service();
    service(const service&) = delete;
    service& operator=(const service&) = delete;

    // What a payload must be: why it is refused, or nothing. One rule for all gateways.
    using payload_rule = std::function<std::optional<fault>(const node_config& of, const xml::element& payload)>;
    void use_payload_rule(payload_rule rule) { payload_rule_ = std::move(rule); }

    // --- nodes (service_nodes.cpp) --------------------------------------------------------------

    // An empty id: an instant node, with an id of its own. The requester owns it.
    outcome<std::string> create(const requester& who, std::string_view node, const form_fields& config);
    outcome<node_config> configuration(const requester& who, std::string_view node) const;
    outcome<done> configure(const requester& who, std::string_view node, const form_fields& config);
    outcome<done> remove(const requester& who, std::string_view node);
    outcome<done> purge(const requester& who, std::string_view node);
    // Those that the requester may see, by id.
    [[nodiscard]] std::vector<listed_node> nodes(const requester& who) const;
    // What may be told about it; item-not-found for whoever may not see it.
    struct node_view {
        const node_config* config;
        std::uint64_t created_ms;
        std::string creator;
        std::size_t subscribers;
    };
    outcome<node_view> look_at(const requester& who, std::string_view node) const;

    // --- items (service_items.cpp) -----------------------------------------------------------------

    struct published {
        std::string id;
        bool fresh;  // no item had the id
        std::shared_ptr<const item> entry;
    };
    // An empty id: one of its own. `options` must hold for the node (section 7.1.5).
    outcome<published> publish(const requester& who, std::string_view node, std::string_view id, xml::element payload,
                               const form_fields& options);
    outcome<done> retract(const requester& who, std::string_view node, std::string_view id, bool notify);
    // The newest `count` (0: all), oldest first; or those of `ids` that exist.
    outcome<std::vector<std::shared_ptr<const item>>> items(const requester& who, std::string_view node, std::size_t count,
                                                            const std::vector<std::string>& ids) const;

    // --- subscriptions and affiliations (service_people.cpp) ------------------------------------------

    outcome<subscription> subscribe(const requester& who, std::string_view node, std::string_view jid, const form_fields& options = {});
    outcome<done> unsubscribe(const requester& who, std::string_view node, std::string_view jid);
    outcome<subscription_options> options(const requester& who, std::string_view node, std::string_view jid) const;
    outcome<done> set_options(const requester& who, std::string_view node, std::string_view jid, const form_fields& options);
    // The requester's own, of one node or of all (empty).
    outcome<std::vector<subscription>> subscriptions(const requester& who, std::string_view node) const;
    outcome<std::vector<affiliated>> affiliations(const requester& who, std::string_view node) const;
    // An owner's look at everybody.
    outcome<std::vector<subscription>> subscriptions_of(const requester& who, std::string_view node) const;
    outcome<std::vector<affiliated>> affiliations_of(const requester& who, std::string_view node) const;
    // All or nothing.
    outcome<done> set_subscriptions(const requester& who, std::string_view node, const std::vector<subscription>& wanted);
    outcome<done> set_affiliations(const requester& who, std::string_view node, const std::vector<affiliated>& wanted);
    // An owner's answer to approval_wanted().
    outcome<done> decide(const requester& who, std::string_view node, std::string_view jid, bool allow);
    // The JID has gone for good: a guest, or a bounce (section 12.4). May be called by the listener too.
    void forget(std::string_view jid);
    // The full JID has become available: it gets newest items where a node says so (send_last_published_item),
    // and as an owner what waits for its approval.
    void came(std::string_view jid);

    // --- at the start: what storage kept, in any order after its node -----------------------------------

    void restore_node(std::string_view node, const node_config& config, std::uint64_t created_ms, std::string_view creator);
    void restore_item(std::string_view node, item what);
    void restore_subscription(const subscription& what);
    void restore_affiliation(const affiliated& what);

    struct sizes {
        std::size_t nodes = 0;
        std::size_t items = 0;
        std::size_t subscriptions = 0;
        std::size_t octets = 0;
    };
    [[nodiscard]] sizes count() const noexcept;
    [[nodiscard]] std::size_t octets() const noexcept { return octets_; }

private:
    struct subscriber {
        subscription_state state = subscription_state::none;
        subscription_options options{};
    };
    struct node_record {
        std::string id;
        node_config config;
        std::uint64_t created_ms = 0;
        std::string creator;
        std::map<std::uint64_t, std::shared_ptr<const item>> by_order;
        std::unordered_map<std::string, std::uint64_t> order_of;  // item id -> order
        std::map<std::string, subscriber, std::less<>> subscribers;  // by JID as subscribed
        std::map<std::string, affiliation, std::less<>> people;              // by bare JID
    };

    [[nodiscard]] node_record* find(std::string_view node) const;
    [[nodiscard]] static affiliation role_of(const node_record& in, std::string_view jid);
    [[nodiscard]] static bool has_subscription(const node_record& in, std::string_view bare);
    [[nodiscard]] static bool sees(const node_record& which, const requester& who);
    [[nodiscard]] outcome<node_record*> owned(const requester& who, std::string_view node) const;
    [[nodiscard]] std::optional<fault> refuses_reading(const node_record& in, const requester& who) const;
    [[nodiscard]] static bool may_publish(const node_record& in, const requester& who);
    void take_out(node_record& from, std::string_view id);
    void make_room(node_record& in);
    void tell(const node_record& of, const event& what);
    void end_telling();
    // Of a subscription that is there, or (none) its end.
    void set_state(node_record& in, const std::string& jid, subscription_state state);
    [[nodiscard]] outcome<node_record*> with_subscription(const requester& who, std::string_view node, std::string_view jid) const;
    void ask_owners(const node_record& of, const subscription& about);
    void set_role(node_record& in, const std::string& jid, affiliation what);
    void send_last(const node_record& of, std::string_view jid, const subscription_options& options);
    [[nodiscard]] std::string fresh_id();

    listener& listener_;
    storage& storage_;
    clock now_;
    service_limits limits_;
    payload_rule payload_rule_;
    std::map<std::string, std::unique_ptr<node_record>, std::less<>> nodes_;
    std::uint64_t last_order_ = 0;
    std::size_t octets_ = 0;
    bool telling_ = false;             // subscribers are walked through: they stay as they are
    std::vector<std::string> leaving_; // told to forget() meanwhile
    std::unordered_map<std::string, std::size_t> subscriptions_;  // by bare JID
    std::unordered_map<std::string, std::size_t> owned_;          // nodes, by bare JID of who made them
};

}  // namespace mbusd::pubsub
