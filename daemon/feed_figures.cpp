#include "feed_figures.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

#include "feeds/feed_entity.hpp"
#include "feeds/feed_home.hpp"
#include "gateways/metrics/metric_page.hpp"

namespace mbusd {
namespace {

using mbus::value;

template <class Number>
value pair(std::string_view name, Number count) {
    return value::list{value{name}, value{static_cast<std::int64_t>(count)}};
}

}  // namespace

void add_feed_metrics(metric_page& page, const feed_home& feeds, const feed_entity& on_the_bus) {
    const auto sizes = feeds.nodes().count();
    const auto& c = feeds.counters();
    page.gauge("mbusd_pubsub_nodes", "Nodes of publish-subscribe.", sizes.nodes);
    page.gauge("mbusd_pubsub_items", "Items of all nodes.", sizes.items);
    page.gauge("mbusd_pubsub_bytes", "Octets of all items.", sizes.octets);
    page.gauge("mbusd_pubsub_subscriptions", "Subscriptions to all nodes.", sizes.subscriptions);
    page.counter("mbusd_pubsub_changes_total", "Changes of nodes, by what happened.", c.published, {{"change", "published"}});
    page.counter("mbusd_pubsub_changes_total", {}, c.updated, {{"change", "updated"}});
    page.counter("mbusd_pubsub_changes_total", {}, c.retracted, {{"change", "retracted"}});
    page.counter("mbusd_pubsub_changes_total", {}, c.purged, {{"change", "purged"}});
    page.counter("mbusd_pubsub_changes_total", {}, c.removed, {{"change", "removed"}});
    page.counter("mbusd_pubsub_changes_total", {}, c.configured, {{"change", "configured"}});
    page.counter("mbusd_pubsub_notifications_total", "Changes as told to subscriptions, one for each.", c.notifications);
    page.gauge("mbusd_pubsub_store_waiting", "Answers that wait until their change is on the disk.", feeds.waiting_for_store());
    page.counter("mbusd_pubsub_store_waits_total", "Answers that waited until their change was on the disk.", c.stored_later);
    const auto& b = on_the_bus.counters();
    page.counter("mbusd_feed_messages_total", "Messages of feeds to the bus.", b.events, {{"result", "sent"}});
    page.counter("mbusd_feed_messages_total", {}, b.without_entry, {{"result", "without entry"}});
    page.counter("mbusd_feed_messages_total", {}, b.lost, {{"result", "lost"}});
    page.counter("mbusd_feed_requests_total", "Requests of programs on the bus, by result.", b.requests - b.refused, {{"result", "done"}});
    page.counter("mbusd_feed_requests_total", {}, b.refused, {{"result", "refused"}});
}

void add_feed_status(value::list& into, const feed_home& feeds) {
    const auto sizes = feeds.nodes().count();
    into.push_back(pair("feeds", sizes.nodes));
    into.push_back(pair("feed-items", sizes.items));
    into.push_back(pair("feed-subscriptions", sizes.subscriptions));
}

void add_feed_counters(value::list& into, const feed_home& feeds, const feed_entity& on_the_bus) {
    const auto& c = feeds.counters();
    const auto& b = on_the_bus.counters();
    into.push_back(value::list{value{"feeds"}, value::list{pair("published", c.published), pair("updated", c.updated), pair("retracted", c.retracted),
                                                           pair("purged", c.purged), pair("removed", c.removed), pair("configured", c.configured),
                                                           pair("notifications", c.notifications), pair("stored-later", c.stored_later),
                                                           pair("waiting-for-store", feeds.waiting_for_store()), pair("bus-messages", b.events),
                                                           pair("bus-without-entry", b.without_entry), pair("bus-lost", b.lost),
                                                           pair("bus-requests", b.requests), pair("bus-refused", b.refused)}});
}

}  // namespace mbusd
