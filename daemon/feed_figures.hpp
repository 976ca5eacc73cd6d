// The figures of publish-subscribe for /metrics, mbusd.status and mbusd.counters (docs/feeds.md).
#pragma once

#include <mbus/value.hpp>

namespace mbusd {

class feed_entity;
class feed_home;
class metric_page;

void add_feed_metrics(metric_page& page, const feed_home& feeds, const feed_entity& on_the_bus);
void add_feed_status(mbus::value::list& into, const feed_home& feeds);
void add_feed_counters(mbus::value::list& into, const feed_home& feeds, const feed_entity& on_the_bus);

}  // namespace mbusd
