// Publish-subscribe on the bus: the entity (app:mbusd module:pubsub service:pubsub), which takes requests
// such as atom.publish, and the changes of every open node, which go to (feed:NODE) as
//
//     atom.published ("NODE" "ITEM-ID" "title" <entry>)     also atom.updated, atom.deleted
//     atom.purged ("NODE")    atom.removed ("NODE")         all items, or the node, have gone
//
//     feed_entity door{feeds, hub, turns};
//     door.join();                              // once the router has started
//
// Nodes that not everybody may read stay off the bus, which everybody on it reads. One thread.
// Everything passed in outlives the object.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "feeds/feed_home.hpp"
#include "feeds/feed_requests.hpp"
#include "router/participant.hpp"
#include "router/router.hpp"
#include "router/turn.hpp"

namespace mbusd {

struct feed_bus_counters {
    std::uint64_t events = 0;
    std::uint64_t without_entry = 0;  // larger than a datagram: went without the entry
    std::uint64_t lost = 0;           // could not be sent, or too many waited
    std::uint64_t requests = 0;
    std::uint64_t refused = 0;
};

class feed_entity final : public participant, public pubsub::listener, private turn_task {
public:
    feed_entity(feed_home& feeds, router& hub, turn_queue& turns);
    ~feed_entity() override;

    mbus::result<void> join();
    [[nodiscard]] const feed_bus_counters& counters() const noexcept { return counters_; }

    // participant
    acceptance offer(mbus::mbws::time_point now, local_entity& to, message_forms& forms, const mbus::mbws::delivery& how,
                     delivery_ticket ticket) override;
    [[nodiscard]] std::string_view participant_name() const noexcept override { return "publish-subscribe"; }

    // pubsub::listener
    void notify(std::string_view, const pubsub::event&) override {}
    void changed(const pubsub::event& what) override;
    void approval_wanted(const std::vector<std::string>&, const pubsub::subscription&) override {}

private:
    // Sent at the end of the turn: changes come from inside calls of the router.
    struct outgoing {
        std::string to;
        std::string body;
        std::string smaller;  // instead, when `body` is too large
    };

    void end_of_turn() override;
    void send(const outgoing& what);
    void queue(outgoing what);
    void take(const mbus::command& what, const message_source& source, const feed_caller& caller);
    [[nodiscard]] feed_caller caller_of(const message_source& source) const;

    feed_home& feeds_;
    router& hub_;
    turn_queue& turns_;
    std::optional<mbus::protocol::entity_handle> handle_;
    std::deque<outgoing> waiting_;
    std::map<std::string, std::size_t, std::less<>> waiting_for_;  // answers that wait for the disk, by who asked
    feed_bus_counters counters_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace mbusd
