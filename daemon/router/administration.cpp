#include "router/administration.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <arpa/inet.h>

#include <fmt/format.h>

#include "config/key_table.hpp"
#include "router/participant.hpp"
#include "protocol/counters.hpp"

#ifndef MBUSD_VERSION
#define MBUSD_VERSION "unknown"
#endif

namespace mbusd {
namespace {

using mbus::symbol;
using mbus::value;

constexpr std::string_view prefix = "mbusd.";

// The head of a request: `(("ID" "7") ("RPC-TYPE" "UNICAST"))`.
std::optional<value> call_id(const value& head) {
    const auto* pairs = head.get_if<value::list>();
    if (pairs == nullptr) return std::nullopt;
    for (const auto& each : *pairs) {
        const auto* pair = each.get_if<value::list>();
        if (pair == nullptr || pair->size() != 2) continue;
        const auto* key = pair->front().get_if<std::string>();
        if (key != nullptr && *key == "ID") return (*pair)[1];
    }
    return std::nullopt;
}

value pair(std::string_view key, value what) { return value::list{value{key}, std::move(what)}; }

value number(std::uint64_t what) { return value{static_cast<std::int64_t>(what)}; }

std::uint64_t milliseconds(mbus::protocol::duration what) {
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(what).count()));
}

std::string endpoint_text(const mbus::protocol::endpoint& where) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool v4 = where.family == mbus::protocol::ip_family::v4;
    ::inet_ntop(v4 ? AF_INET : AF_INET6, where.octets.data(), text.data(), text.size());
    return v4 ? fmt::format("{}:{}", text.data(), where.port) : fmt::format("[{}]:{}", text.data(), where.port);
}

// The host half of `id:4711-1@10.0.0.1`.
std::string host_of(const mbus::address& who) {
    const auto id = who.find("id");
    if (!id) return {};
    const auto at = id->rfind('@');
    return at == std::string_view::npos ? std::string{} : std::string{id->substr(at + 1)};
}

value::list drops_of(const mbus::protocol::counters& counts) {
    value::list out;
    for (std::size_t i = 0; i < mbus::protocol::drop_reasons; ++i) {
        const auto reason = static_cast<mbus::protocol::drop_reason>(i);
        out.push_back(pair(to_string(reason), number(counts.drops(reason))));
    }
    return out;
}

value::list bus_counts(const mbus::protocol::counters& c) {
    return {pair("datagrams-in", number(c.datagrams_in)),
            pair("octets-in", number(c.octets_in)),
            pair("datagrams-out", number(c.datagrams_out)),
            pair("octets-out", number(c.octets_out)),
            pair("messages-in", number(c.messages_in)),
            pair("commands-in", number(c.commands_in)),
            pair("delivered", number(c.delivered)),
            pair("messages-out", number(c.messages_out)),
            pair("commands-out", number(c.commands_out)),
            pair("coalesced", number(c.coalesced)),
            pair("reliable-sent", number(c.reliable_sent)),
            pair("reliable-acknowledged", number(c.reliable_acknowledged)),
            pair("reliable-failed", number(c.reliable_failed)),
            pair("retransmissions", number(c.retransmissions)),
            pair("acks-sent", number(c.acks_sent)),
            pair("acks-piggybacked", number(c.acks_piggybacked)),
            pair("hellos-sent", number(c.hellos_sent)),
            pair("hellos-heard", number(c.hellos_heard)),
            pair("unicast-out", number(c.unicast_out))};
}

value::list router_counts(const router_counters& c) {
    return {pair("sessions-opened", number(c.sessions_opened)),
            pair("sessions-resumed", number(c.sessions_resumed)),
            pair("sessions-refused", number(c.sessions_refused)),
            pair("attaches-refused", number(c.attaches_refused)),
            pair("routed", number(c.routed)),
            pair("refused-rights", number(c.refused_rights)),
            pair("refused-address", number(c.refused_address)),
            pair("refused-size", number(c.refused_size)),
            pair("refused-bus", number(c.refused_bus)),
            pair("delivered", number(c.delivered)),
            pair("filtered", number(c.filtered)),
            pair("dropped-policy", number(c.dropped_policy)),
            pair("dropped-limit", number(c.dropped_limit)),
            pair("overflowed", number(c.overflowed)),
            pair("too-large-for-client", number(c.too_large_for_client)),
            pair("reliable-local", number(c.reliable_local)),
            pair("reliable-bus", number(c.reliable_bus)),
            pair("no-match", number(c.no_match)),
            pair("not-unique", number(c.not_unique)),
            pair("monitor-copies", number(c.monitor_copies)),
            pair("not-routed", number(c.not_routed)),
            pair("requests-answered", number(c.requests_answered)),
            pair("requests-refused", number(c.requests_refused)),
            pair("malformed-connections", number(c.malformed_connections))};
}

value interface_row(const interface_status& each) {
    return value::list{pair("name", each.name),
                       pair("mtu", number(each.mtu)),
                       pair("carrier", each.carrier),
                       pair("ipv4", each.joined_v4),
                       pair("ipv6", each.joined_v6),
                       pair("address-ipv4", each.address_v4),
                       pair("address-ipv6", each.address_v6),
                       pair("datagrams-out", number(each.datagrams_out)),
                       pair("send-errors", number(each.send_errors)),
                       pair("oversized", number(each.oversized)),
                       pair("last-error", each.last_error)};
}

mbus::command reply(const std::string& name, value id, administration_outcome result) {
    const auto code = result.known ? result.code : mbus::errc::not_found;
    const char* status = result.ok ? "OK" : result.known ? "FAILED" : "UNKNOWN";
    value::list head{pair("ID", std::move(id)), pair("RPC-STATUS", status)};
    value::list tail{value::list{symbol{result.ok ? "OK" : "FAILED"}, symbol{result.ok ? "OK" : std::string{to_string(code)}},
                                 value{std::move(result.text)}},
                     std::move(result.results)};
    return {name + ".return", {std::move(head), std::move(tail)}};
}

}  // namespace

std::size_t answer_offset(const value::list& arguments, std::size_t index) {
    if (index >= arguments.size()) return 0;
    const auto* given = arguments[index].get_if<std::int64_t>();
    return given != nullptr && *given > 0 ? static_cast<std::size_t>(*given) : 0;
}

value::list answer_page(value::list rows, std::size_t from, std::string_view name) {
    value::list chosen;
    const auto end = std::min(rows.size(), from + page_entries_max);
    for (auto i = from; i < end; ++i) chosen.push_back(std::move(rows[i]));
    return {pair("total", number(rows.size())), pair("next", number(end < rows.size() ? end : 0)),
            pair(name, std::move(chosen))};
}

std::vector<mbus::command> administration::answer(std::string_view commands, const granted_rights* rights,
                                                  const std::function<void(mbus::command)>& later) {
    std::vector<mbus::command> out;
    const auto parsed = mbus::parse_commands(commands);
    if (!parsed) return out;
    for (const auto& each : *parsed) {
        if (!each.name.starts_with(prefix) || each.name.ends_with(".return") || each.arguments.size() != 2) continue;
        const auto id = call_id(each.arguments[0]);
        const auto* arguments = each.arguments[1].get_if<value::list>();
        if (!id || arguments == nullptr) continue;
        outcome result;
        if (rights == nullptr) {
            result.text = "refused: mbusd answers only programs of its own host";
        } else {
            result = perform(std::string_view{each.name}.substr(prefix.size()), *arguments, *rights);
        }
        if (result.later && later) {
            result.later([later, name = each.name, id = *id](outcome known) { later(reply(name, id, std::move(known))); });
        } else {
            out.push_back(reply(each.name, *id, std::move(result)));
        }
    }
    return out;
}

administration::outcome administration::perform(std::string_view name, const value::list& arguments,
                                                const granted_rights& rights) {
    if (name == "status") return status();
    if (name == "counters") return counters();
    if (name == "interfaces") return interfaces();
    if (name == "peers") return peers(answer_offset(arguments, 0));
    if (name == "rights") return rights_of(rights);
    if (name == "config" || name == "sessions") {
        if (auto no = rights.refuses_administer()) return {false, true, std::move(*no), {}};
        return name == "config" ? config() : sessions(answer_offset(arguments, 0));
    }
    if (const auto part = parts_.find(name); part != parts_.end()) return part->second(arguments, rights);
    return {false, false, fmt::format("mbusd has no command 'mbusd.{}'; docs/daemon-commands.md lists them", name), {}};
}

administration::outcome administration::status() const {
    const auto bus = facts_.facts_bus().status();
    const auto at = facts_.facts_bus().now();
    value::list notes;
    for (const auto& each : bus.notes) notes.emplace_back(each);
    outcome out{true, true, "",
            {pair("version", MBUSD_VERSION),
             pair("broker", facts_.broker_id()),
             pair("uptime-ms", number(milliseconds(at.now - started_))),
             pair("time-ms", number(at.wall_ms)),
             pair("scope", bus.scope),
             pair("families", bus.families),
             pair("host-id", bus.host_id),
             pair("group-ipv4", bus.group_v4),
             pair("group-ipv6", bus.group_v6),
             pair("port", number(bus.port)),
             pair("endpoint-port-ipv4", number(bus.endpoint_port_v4)),
             pair("endpoint-port-ipv6", number(bus.endpoint_port_v6)),
             pair("compat", facts_.values().bus.compat),
             pair("sessions", number(facts_.session_count())),
             pair("entities", number(facts_.facts_bus().node().entities())),
             pair("loopback-heard", bus.loopback_heard),
             pair("datagram-budget", number(bus.datagram_budget)),
             pair("receive-buffer", number(bus.receive_buffer)),
             pair("notes", std::move(notes))}};
    for (const auto& each : status_figures_) each(out.results);
    return out;
}

administration::outcome administration::counters() const {
    const auto bus = facts_.facts_bus().status();
    const auto& node = facts_.facts_bus().node().counters();
    outcome out{true, true, "",
            {pair("bus", bus_counts(node)),
             pair("bus-dropped", drops_of(node)),
             pair("router", router_counts(facts_.router_counts())),
             pair("sockets", value::list{pair("send-errors", number(bus.send_errors)),
                                         pair("join-errors", number(bus.join_errors)),
                                         pair("oversized", number(bus.oversized)),
                                         pair("stalled", number(bus.stalled)),
                                         pair("kernel-drops", number(bus.kernel_drops)),
                                         pair("netlink-overruns", number(bus.netlink_overruns))})}};
    for (const auto& each : counter_figures_) each(out.results);
    return out;
}

administration::outcome administration::interfaces() const {
    const auto bus = facts_.facts_bus().status();
    value::list used;
    for (const auto& each : bus.interfaces) used.push_back(interface_row(each));
    value::list skipped;
    for (const auto& each : bus.skipped) {
        skipped.emplace_back(value::list{pair("name", each.name), pair("reason", each.reason)});
    }
    return {true, true, "", {pair("interfaces", std::move(used)), pair("skipped", std::move(skipped))}};
}

administration::outcome administration::peers(std::size_t from) const {
    value::list rows;
    const auto now = facts_.facts_bus().now().now;
    facts_.each_entity([&](const local_entity& each) {
        value::list row{pair("address", each.address.text()), pair("local", 1), pair("host", host_of(each.address)),
                        pair("age-ms", number(milliseconds(now - each.since)))};
        if (each.owner != nullptr) {
            row.push_back(pair("user", each.owner->who->user.name));
            row.push_back(pair("name", each.session->name()));
        } else if (each.host != nullptr) {
            row.push_back(pair("name", each.host->participant_name()));
        }
        rows.emplace_back(std::move(row));
    });
    facts_.facts_bus().node().for_each_peer([&](const mbus::protocol::peer_view& peer) {
        rows.emplace_back(value::list{pair("address", peer.address->text()), pair("local", 0),
                                      pair("host", host_of(*peer.address)),
                                      pair("endpoint", endpoint_text(peer.last_endpoint)),
                                      pair("unicast", peer.unicast_capable),
                                      pair("age-ms", number(milliseconds(now - peer.first_heard))),
                                      pair("heard-ms", number(milliseconds(now - peer.last_heard)))});
    });
    return {true, true, "", answer_page(std::move(rows), from, "peers")};
}

administration::outcome administration::sessions(std::size_t from) const {
    value::list rows;
    const auto now = facts_.facts_bus().now().now;
    facts_.each_session([&](session_record& each) {
        const auto& session = *each.session;
        const auto& counts = session.counters();
        value::list addresses;
        session.for_each_attachment([&](const mbus::mbws::attachment& one) { addresses.emplace_back(one.entity.text()); });
        rows.emplace_back(value::list{
            pair("session", number(each.id)), pair("name", session.name()), pair("user", each.who->user.name),
            pair("pid", number(each.who->user.pid)), pair("connected", session.connected()),
            pair("age-ms", number(milliseconds(now - each.opened))), pair("received", number(counts.received)),
            pair("refused", number(counts.refused)), pair("delivered", number(counts.delivered)),
            pair("dropped", number(counts.dropped_total())), pair("undeliverable", number(counts.undeliverable)),
            pair("queued-messages", number(session.queued_messages())),
            pair("queued-octets", number(session.queued_octets())), pair("entities", std::move(addresses))});
    });
    return {true, true, "", answer_page(std::move(rows), from, "sessions")};
}

administration::outcome administration::config() const {
    value::list rows;
    const auto& reading = facts_.reading();
    for (const auto& key : key_table()) {
        const auto origin = reading.origins.find(key.name);
        rows.emplace_back(value::list{value{key.name}, value{value_text(key, reading.values)},
                                      value{origin == reading.origins.end() ? "default" : origin->second}});
    }
    value::list files;
    for (const auto& file : reading.files) files.emplace_back(file.string());
    return {true, true, "", {pair("keys", std::move(rows)), pair("files", std::move(files))}};
}

administration::outcome administration::rights_of(const granted_rights& rights) const {
    const auto allowed = [](const std::optional<std::string>& refusal) { return value{!refusal.has_value()}; };
    return {true, true, "",
            {pair("user", rights.user()), pair("attach-anything", allowed(rights.refuses_attach(mbus::address{}))),
             pair("send-anywhere", rights.sends_anywhere()), pair("monitor", allowed(rights.refuses_monitor())),
             pair("administer", allowed(rights.refuses_administer())), pair("block", allowed(rights.refuses_block()))}};
}

}  // namespace mbusd
