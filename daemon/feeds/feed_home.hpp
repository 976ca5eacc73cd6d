// Where publish-subscribe lives in the daemon: the service with its nodes, kept in the store, and its
// events for everybody who listens: XMPP, the bus.
//
//     feed_home feeds{{.domain = "bus.example"}, kept, turns, after, wall_ms, log};
//     feeds.load();                                       // before the store starts
//     feeds.add(xmpp_door);  feeds.add(bus_door);
//     feeds.nodes().publish(who, "news", "", entry, {});  // by any gateway
//     feeds.when_stored([=] { call->respond(created); }); // it survives kill -9 from here on
//
// One thread. Everything passed in outlives the object.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/rights.hpp"
#include "config/settings.hpp"
#include "pubsub/service.hpp"
#include "router/journal.hpp"
#include "router/turn.hpp"
#include "runtime/log.hpp"
#include "store/store.hpp"

namespace mbusd {

[[nodiscard]] pubsub::service_limits feed_limits(const settings& values);

struct feed_options {
    std::string domain;  // of accounts: NAME@DOMAIN
    pubsub::service_limits limits{};
};

// Since the daemon started.
struct feed_counters {
    std::uint64_t published = 0;  // new entries
    std::uint64_t updated = 0;    // new versions
    std::uint64_t retracted = 0;
    std::uint64_t purged = 0;
    std::uint64_t removed = 0;    // nodes
    std::uint64_t configured = 0;
    std::uint64_t notifications = 0;  // one for each subscription that is told of a change
    std::uint64_t stored_later = 0;   // answers that waited for the disk
};

class feed_home final : public pubsub::listener, public pubsub::storage, private turn_task {
public:
    using after_function = std::function<void(std::chrono::milliseconds, std::function<void()>)>;
    using clock_function = std::function<std::uint64_t()>;  // ms since 1970

    feed_home(feed_options options, store& kept, turn_queue& turns, after_function after, clock_function wall_ms, logger& log);
    ~feed_home() override;

    // What the store has, before store::start(). Errors: what could not be read; the rest is there.
    mbus::result<void> load();

    [[nodiscard]] pubsub::service& nodes() noexcept { return nodes_; }
    [[nodiscard]] const pubsub::service& nodes() const noexcept { return nodes_; }
    [[nodiscard]] const std::string& domain() const noexcept { return options_.domain; }

    // Hear of every event until forget().
    void add(pubsub::listener& who) { listeners_.push_back(&who); }
    void forget(pubsub::listener& who) { std::erase(listeners_, &who); }

    // Runs when all changes so far are on the disk; at once when nothing is kept. `then` may be empty:
    // what it holds on to waits.
    void when_stored(std::function<void()> then);
    // Answers that wait now.
    [[nodiscard]] std::size_t waiting_for_store() const noexcept { return waiting_; }
    [[nodiscard]] const feed_counters& counters() const noexcept { return counters_; }
    // Why nothing can be stored; empty: all is well.
    [[nodiscard]] std::string_view problem() const noexcept { return kept_.problem(); }
    // Hands over to the store what has gathered: before store::close().
    void finish();

    // Who a user of this host or a token is to publish-subscribe: NAME@DOMAIN.
    [[nodiscard]] pubsub::requester account_of(const user_identity& user) const;
    [[nodiscard]] std::string account_named(std::string_view name) const;

    struct node_facts {
        pubsub::node_config config;
        std::string creator;
    };
    // Null when there is no such node. For the daemon itself: no rights are asked for.
    [[nodiscard]] const node_facts* facts_of(std::string_view node) const noexcept;
    [[nodiscard]] std::uint64_t wall_ms() const { return wall_ms_(); }
    // Its payloads are Atom entries: the node is a feed.
    [[nodiscard]] static bool is_feed(const pubsub::node_config& node) noexcept;

    // pubsub::listener
    void notify(std::string_view jid, const pubsub::event& what) override;
    void changed(const pubsub::event& what) override;
    void approval_wanted(const std::vector<std::string>& owners, const pubsub::subscription& what) override;

    // pubsub::storage
    void put_node(std::string_view node, const pubsub::node_config& config, std::uint64_t created_ms, std::string_view creator) override;
    void drop_node(std::string_view node) override;
    void put_item(std::string_view node, const pubsub::item& what) override;
    void drop_item(std::string_view node, std::string_view id) override;
    void drop_items(std::string_view node) override;
    void put_subscription(const pubsub::subscription& what) override;
    void put_affiliation(const pubsub::affiliated& what) override;

private:
    void end_of_turn() override;
    void retry_later();
    template <class Put>
    void write(Put&& put);
    mbus::result<void> load_items();

    feed_options options_;
    store& kept_;
    turn_queue& turns_;
    after_function after_;
    clock_function wall_ms_;
    logger& log_;
    pubsub::service nodes_;
    journal changes_;
    std::vector<pubsub::listener*> listeners_;
    std::map<std::string, node_facts, std::less<>> facts_;
    feed_counters counters_;
    std::size_t waiting_ = 0;
    bool loading_ = false;
    bool retrying_ = false;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace mbusd
