// What waits for clients, in queues and for links, and what was lost there.
#include <algorithm>

#include "gateways/metrics/metrics_paths.hpp"
#include "router/link_table.hpp"
#include "router/queue_table.hpp"

namespace mbusd {

// Sums and the worst: a series for each session would be one for each program that ever ran.
void add_session_metrics(metric_page& page, router& hub) {
    std::size_t connected = 0;
    std::size_t durable = 0;
    std::size_t messages = 0;
    std::size_t octets = 0;
    std::size_t longest = 0;
    hub.for_each_session([&](session_record& record) {
        const auto& session = *record.session;
        if (session.connected()) ++connected;
        if (session.durable()) ++durable;
        messages += session.queued_messages();
        octets += session.queued_octets();
        longest = std::max(longest, session.queued_messages());
    });
    page.gauge("mbusd_sessions_connected", "Sessions that have a connection; the others wait for their client.", connected);
    page.gauge("mbusd_sessions_durable", "Sessions that outlive the daemon.", durable);
    page.gauge("mbusd_session_queue_messages", "Messages that wait for sessions, all together.", messages);
    page.gauge("mbusd_session_queue_bytes", "Octets that wait for sessions, all together.", octets);
    page.gauge("mbusd_session_queue_longest", "Messages that wait for the session with the most.", longest);
}

void add_queue_metrics(metric_page& page, queue_table& queues) {
    const std::string ends = "Jobs of a durable queue since the daemon started, by what became of them.";
    page.gauge("mbusd_queues", "Durable queues.", queues.size());
    for (const auto* each : queues.all()) {
        const auto& c = each->counters();
        const metric_labels name{{"queue", each->name()}};
        page.gauge("mbusd_queue_waiting", "Jobs that no reader has.", each->waiting(), name);
        page.gauge("mbusd_queue_taken", "Jobs that a reader has and did not acknowledge.", each->jobs() - each->waiting(), name);
        page.gauge("mbusd_queue_bytes", "Octets of all jobs of a queue.", each->octets(), name);
        page.gauge("mbusd_queue_readers", "Readers of a queue.", each->readers(), name);
        page.counter("mbusd_queue_added_total", "Jobs that came since the daemon started.", c.added, name);
        const auto end = [&](const char* result, std::uint64_t count) {
            page.counter("mbusd_queue_jobs_total", ends, count, {{"queue", each->name()}, {"result", result}});
        };
        end("done", c.done);
        end("redelivered", c.redelivered);
        end("dead", c.dead);
        end("expired", c.expired);
        end("refused", c.refused);
        end("dropped", c.dropped);
        end("purged", c.purged);
    }
}

void add_link_metrics(metric_page& page, const link_table& links) {
    page.gauge("mbusd_links", "Links to other daemons, those that are down included.", links.size());
    page.counter("mbusd_link_loops_total", "Messages that came over a link and had been here before.", links.loops());
    // A name may stand for more than one for a moment: the old session and its successor.
    std::vector<std::string> seen;
    links.for_each([&](const hosted_link& link) {
        if (std::ranges::find(seen, link.name()) != seen.end()) return;
        seen.push_back(link.name());
        const auto& session = link.session();
        const auto& c = session.counters();
        const metric_labels name{{"link", link.name()}};
        page.gauge("mbusd_link_up", "1 while a link carries messages.", session.state() == mbus::mbws::link_state::active ? 1 : 0, name);
        page.gauge("mbusd_link_queue_messages", "Messages that wait for a link.", session.queued_messages(), name);
        page.gauge("mbusd_link_entities", "Entities that take part on the other side of a link.", session.entities_shown(),
                   {{"link", link.name()}, {"of", "this side"}});
        page.gauge("mbusd_link_entities", {}, session.entities_hosted(), {{"link", link.name()}, {"of", "that side"}});
        page.counter("mbusd_link_messages_total", "Messages over a link, by direction.", c.sent, {{"link", link.name()}, {"direction", "out"}});
        page.counter("mbusd_link_messages_total", {}, c.received, {{"link", link.name()}, {"direction", "in"}});
        page.counter("mbusd_link_lost_total", "Messages that a link refused or dropped.", c.refused + c.naks,
                     {{"link", link.name()}, {"how", "refused"}});
        page.counter("mbusd_link_lost_total", {}, c.dropped() + c.overflowed, {{"link", link.name()}, {"how", "dropped"}});
        page.counter("mbusd_link_resumes_total", "Connections that went on where the last one had ended.", c.resumes, name);
    });
}

}  // namespace mbusd
