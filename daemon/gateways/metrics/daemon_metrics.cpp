// The figures of bus, router and store under their names for Prometheus.
#include <array>

#include "gateways/metrics/metrics_paths.hpp"
#include "protocol/counters.hpp"
#include "store/store.hpp"

namespace mbusd {
namespace {

const std::string drops_help = "What was received and had no effect, by reason.";
const std::string ends_help = "Messages of clients that went nowhere, by reason.";
const std::string reliable_help = "Reliable messages of clients, by where they went.";

void add_interfaces(metric_page& page, const bus_status& status) {
    for (const auto& each : status.interfaces) {
        const metric_labels name{{"interface", each.name}};
        page.gauge("mbusd_interface_up", "1 for an interface with carrier that the bus uses.", each.carrier ? 1 : 0, name);
        page.counter("mbusd_interface_datagrams_total", "Datagrams sent on an interface.", each.datagrams_out, name);
        page.counter("mbusd_interface_send_errors_total", "Datagrams that an interface did not take.", each.send_errors, name);
        page.counter("mbusd_interface_oversized_total", "Datagrams larger than the MTU of an interface.", each.oversized, name);
    }
}

}  // namespace

void add_bus_metrics(metric_page& page, const bus_status& status, const mbus::protocol::counters& c) {
    const metric_labels in{{"direction", "in"}};
    const metric_labels out{{"direction", "out"}};
    page.counter("mbusd_bus_datagrams_total", "Datagrams of the bus.", c.datagrams_in, in);
    page.counter("mbusd_bus_datagrams_total", {}, c.datagrams_out, out);
    page.counter("mbusd_bus_bytes_total", "Octets of these datagrams.", c.octets_in, in);
    page.counter("mbusd_bus_bytes_total", {}, c.octets_out, out);
    page.counter("mbusd_bus_messages_total", "Messages of the bus.", c.messages_in, in);
    page.counter("mbusd_bus_messages_total", {}, c.messages_out, out);
    page.counter("mbusd_bus_commands_total", "Commands in these messages.", c.commands_in, in);
    page.counter("mbusd_bus_commands_total", {}, c.commands_out, out);
    page.counter("mbusd_bus_delivered_total", "Messages of the bus that were handed to entities of this host.", c.delivered);
    page.counter("mbusd_bus_coalesced_total", "Messages that shared a datagram with another.", c.coalesced);
    page.counter("mbusd_bus_reliable_total", "Reliable messages sent over the bus, by outcome.", c.reliable_acknowledged, {{"outcome", "acknowledged"}});
    page.counter("mbusd_bus_reliable_total", {}, c.reliable_failed, {{"outcome", "failed"}});
    page.counter("mbusd_bus_retransmissions_total", "Reliable messages sent again.", c.retransmissions);
    page.counter("mbusd_bus_acks_sent_total", "Acknowledgements sent, by how.", c.acks_sent - c.acks_piggybacked, {{"how", "alone"}});
    page.counter("mbusd_bus_acks_sent_total", {}, c.acks_piggybacked, {{"how", "with a message"}});
    page.counter("mbusd_bus_hellos_total", "Hellos, by direction.", c.hellos_heard, in);
    page.counter("mbusd_bus_hellos_total", {}, c.hellos_sent, out);
    page.counter("mbusd_bus_unicast_total", "Datagrams sent to one host alone.", c.unicast_out);
    for (std::size_t i = 0; i < mbus::protocol::drop_reasons; ++i) {
        const auto reason = static_cast<mbus::protocol::drop_reason>(i);
        page.counter("mbusd_bus_dropped_total", drops_help, c.drops(reason), {{"reason", std::string{to_string(reason)}}});
    }
    page.counter("mbusd_socket_errors_total", "What the kernel refused or dropped, by kind.", status.send_errors, {{"kind", "send"}});
    page.counter("mbusd_socket_errors_total", {}, status.join_errors, {{"kind", "join"}});
    page.counter("mbusd_socket_errors_total", {}, status.stalled, {{"kind", "stalled"}});
    page.counter("mbusd_socket_errors_total", {}, status.kernel_drops, {{"kind", "receive buffer full"}});
    page.counter("mbusd_socket_errors_total", {}, status.netlink_overruns, {{"kind", "netlink overrun"}});
    page.counter("mbusd_socket_oversized_total", "Datagrams larger than the MTU of their interface.", status.oversized);
    page.gauge("mbusd_interfaces", "Network interfaces that the bus uses.", status.interfaces.size());
    page.gauge("mbusd_interfaces_skipped", "Interfaces that are up but not used.", status.skipped.size());
    add_interfaces(page, status);
}

void add_router_metrics(metric_page& page, const router& hub) {
    const auto& c = hub.counters();
    page.gauge("mbusd_sessions", "Open sessions of clients.", hub.sessions());
    page.gauge("mbusd_entities", "Entities of this host.", hub.entities());
    page.counter("mbusd_sessions_total", "Sessions, by what became of the request.", c.sessions_opened, {{"result", "opened"}});
    page.counter("mbusd_sessions_total", {}, c.sessions_resumed, {{"result", "resumed"}});
    page.counter("mbusd_sessions_total", {}, c.sessions_refused, {{"result", "refused"}});
    page.counter("mbusd_attaches_refused_total", "Attaches refused: no right, or a limit.", c.attaches_refused);
    page.counter("mbusd_messages_routed_total", "Messages of clients that were taken.", c.routed);
    page.counter("mbusd_messages_delivered_total", "Messages handed to sessions, one for each receiving entity.", c.delivered);
    page.counter("mbusd_messages_filtered_total", "Left out by the receiver's own command globs.", c.filtered);
    page.counter("mbusd_messages_refused_total", ends_help, c.refused_rights, {{"reason", "rights"}});
    page.counter("mbusd_messages_refused_total", {}, c.refused_address, {{"reason", "address"}});
    page.counter("mbusd_messages_refused_total", {}, c.refused_size, {{"reason", "size"}});
    page.counter("mbusd_messages_refused_total", {}, c.refused_bus, {{"reason", "bus"}});
    page.counter("mbusd_session_dropped_total", "Messages that a receiver lost, by reason.", c.dropped_policy, {{"reason", "policy"}});
    page.counter("mbusd_session_dropped_total", {}, c.dropped_limit, {{"reason", "limit"}});
    page.counter("mbusd_session_dropped_total", {}, c.overflowed, {{"reason", "overflow"}});
    page.counter("mbusd_session_dropped_total", {}, c.too_large_for_client, {{"reason", "too-large"}});
    page.counter("mbusd_reliable_total", reliable_help, c.reliable_local, {{"way", "local"}});
    page.counter("mbusd_reliable_total", {}, c.reliable_bus, {{"way", "bus"}});
    page.counter("mbusd_reliable_total", {}, c.no_match, {{"way", "no-match"}});
    page.counter("mbusd_reliable_total", {}, c.not_unique, {{"way", "not-unique"}});
    page.counter("mbusd_monitor_copies_total", "Copies for monitors.", c.monitor_copies);
    page.counter("mbusd_requests_total", "Requests to the daemon's own entity.", c.requests_answered, {{"result", "answered"}});
    page.counter("mbusd_requests_total", {}, c.requests_refused, {{"result", "refused"}});
    page.counter("mbusd_malformed_connections_total", "Connections closed for a bad frame.", c.malformed_connections);
}

void add_store_metrics(metric_page& page, const store& kept) {
    const auto& c = kept.counters();
    page.gauge("mbusd_store_ok", "1 while the store can be written.", kept.problem().empty() ? 1 : 0);
    page.counter("mbusd_store_transactions_total", "Transactions, by result.", c.transactions, {{"result", "written"}});
    page.counter("mbusd_store_transactions_total", {}, c.failed, {{"result", "failed"}});
    page.counter("mbusd_store_commits_total", "Commits to disk.", c.commits);
    page.gauge("mbusd_store_waiting_statements", "Statements that wait for the disk.", kept.waiting_statements());
    page.gauge("mbusd_store_waiting_bytes", "Octets that wait for the disk.", kept.waiting_octets());
}

}  // namespace mbusd
