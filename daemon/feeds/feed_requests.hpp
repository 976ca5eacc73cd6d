// What programs ask of publish-subscribe over the bus, as commands (docs/feeds.md): feed.list,
// feed.items, feed.item, feed.create, feed.remove, atom.publish, atom.retract.
//
//     auto result = perform_feed_request(feeds, caller, "atom.publish", arguments);
//
// One thread.
#pragma once

#include <string_view>

#include <mbus/command.hpp>

#include "config/rights.hpp"
#include "feeds/feed_home.hpp"
#include "feeds/request_form.hpp"

namespace mbusd {

struct feed_caller {
    pubsub::requester who;
    bool known = false;        // an account of this host, not somebody on the bus
    bool administers = false;  // does what the owner of a node may
};

[[nodiscard]] request_result perform_feed_request(feed_home& feeds, const feed_caller& caller, std::string_view name,
                                                  const mbus::value::list& arguments);

// True for commands that make a change: their answer waits for the disk.
[[nodiscard]] bool changes_feeds(std::string_view name) noexcept;

}  // namespace mbusd
