// From a local entity to everybody: checks, the way to the bus, delivery to other local entities
// (RFC 3259, sections 3, 6 and 7).
#include <algorithm>
#include <string>

#include "protocol/limits.hpp"
#include "protocol/node_parts.hpp"

namespace mbus::protocol {

void node::implementation::set_datagram_budget(std::size_t octets) noexcept {
    message_octets_max =
        security.message_octets_max(options.legacy ? legacy_datagram_octets_max : datagram_octets_max);
    joined_octets_max = std::min(security.message_octets_max(octets), message_octets_max);
}

// With the longest numbers and an empty AckList.
std::size_t node::implementation::header_octets(std::size_t source, std::size_t destination) noexcept {
    constexpr std::string_view longest = "mbus/1.0 4294967295 9999999999999 R   ()\r\n";
    return longest.size() + source + destination;
}

// Some commands are the engine's, and some have one way only to be sent (section 9).
result<void> node::implementation::check_commands(const send_request& request) {
    if (request.bare_name_octets != 0) {
        reader.take_bare(request.payload, request.bare_name_octets);
        return {};
    }
    if (auto read = reader.read(request.payload, dialect::rfc); !read) return read;
    if (!reader.has_mbus_command()) return {};
    if (reader.has_hello() || reader.has_bye())
        return {errc::bad_command,
                "mbus.hello and mbus.bye are sent by the daemon: attach and detach instead"};
    if (reader.unknown() != 0)
        return {errc::bad_command, "names that begin with mbus. are reserved: choose another command name"};
    if (reader.malformed() != 0)
        return {errc::bad_command,
                "mbus.waiting and mbus.go take one symbol, mbus.ping and mbus.quit nothing"};
    if (reader.has_waiting() && request.reliable)
        return {errc::bad_command,
                "mbus.waiting is never sent reliably: repeat it until the condition is met"};
    if (reader.has_go() && !request.reliable)
        return {errc::bad_command, "mbus.go is always sent reliably to the one entity that waits"};
    return {};
}

result<node::implementation::plan> node::implementation::check(const send_request& request) {
    plan out;
    out.from = entities.find(request.from);
    if (out.from == nullptr) return {errc::no_entity, "the sending entity is not attached"};
    if (auto good = check_commands(request); !good) return std::move(good).error();
    if (auto written = reader.write_all(wire_text, options.writing); !written)
        return std::move(written).error();
    out.where = &routes.with_peers(*request.destination);
    out.to = request.destination;
    if (request.reliable) {
        const auto matches = out.where->locals.size() + out.where->peers.count;
        const std::string target{request.destination->text()};
        if (matches == 0) return {errc::no_match, "nobody matches " + target};
        if (matches > 1)
            return {errc::not_unique, std::to_string(matches) + " entities match " + target +
                                          ": add elements until one is left"};
        if (!out.where->locals.empty()) out.local = out.where->locals.front();
        out.to = out.local != nullptr ? &out.local->address : &out.where->peers.only->address;
    }
    if (auto room = check_room(request, out); !room) return std::move(room).error();
    return out;
}

result<void> node::implementation::check_room(const send_request& request, const plan& where) const {
    const auto octets =
        header_octets(where.from->address.text().size(), where.to->text().size()) + wire_text.size();
    if (octets > message_octets_max)
        return {errc::too_large, "the message has " + std::to_string(octets) + " octets, the limit is " +
                                     std::to_string(message_octets_max)};
    if (where.local != nullptr) return {};
    if (waiting.octets() + octets > transmit_queue_octets_max)
        return {errc::overflow, "the network does not take datagrams fast enough: send more slowly"};
    if (!request.reliable) return {};
    if (pending.size() >= reliable_pending_max ||
        where.from->reliable_pending >= reliable_pending_per_entity_max ||
        pending.octets() + octets > reliable_pending_octets_max)
        return {errc::overflow,
                "too many reliable messages wait for their acknowledgement: wait for results"};
    return {};
}

result<match_result> node::implementation::send(const instant& at, const send_request& request) {
    const auto where = check(request);
    if (!where) return where.error();
    match_result matched;
    matched.remote = where->where->peers.count;
    matched.complete = where->where->locals.size() + matched.remote == 1 &&
                       (where->where->exact != nullptr ||
                        (matched.remote == 1 && where->where->peers.only->address == *request.destination));
    // What only one of ours can be meant by goes no further.
    const bool ours_alone = where->local != nullptr || (where->where->exact != nullptr && matched.complete);
    const auto number = ours_alone ? where->from->numbers.peek() : send_to_bus(at, request, *where);
    if (reader.has_ping()) ping_here(at, where->from->handle, *where->where);
    deliver_here(at, request, *where, number, matched);
    return matched;
}

result<void> node::implementation::transmit(const instant& at, const send_request& request) {
    const auto where = check(request);
    if (!where) return where.error();
    if (where->local != nullptr)
        return {errc::bad_argument, "the only receiver is local: nothing is to be sent on the bus"};
    send_to_bus(at, request, *where);
    if (reader.has_ping()) ping_here(at, where->from->handle, *where->where);
    return {};
}

// Our own datagrams are dropped when they come back, so other local entities answer from here.
void node::implementation::ping_here(const instant& at, entity_handle from, const route& where) {
    for (auto* each : where.locals) {
        if (each->handle == from) continue;
        each->hello.ping(at.now, random);
        each->hello_timer.set(each->hello.deadline());
    }
}

std::uint32_t node::implementation::send_to_bus(const instant& at, const send_request& request,
                                                const plan& where) {
    auto& from = *where.from;
    count.commands_out += reader.commands();
    const bool may_join = options.coalesce && request.may_coalesce && !request.reliable &&
                          reader.commands() != 0 && !reader.has_mbus_command();
    if (may_join && join_open_datagram(request, where)) return from.open_number;
    const auto number = from.numbers.peek();
    const auto type = request.reliable ? message_type::reliable : message_type::unreliable;
    auto& datagram = begin_message(at, from, *where.to, type, wire_text.size());
    datagram.message.append(wire_text);
    waiting.grew(wire_text.size());
    choose_path(datagram);
    // Only its last datagram may take more, so that the order to every receiver is kept.
    if (from.open != nullptr) from.open->open_for = nullptr;
    from.open = may_join ? &datagram : nullptr;
    from.open_number = number;
    if (may_join) datagram.open_for = &from;
    if (request.reliable) {
        auto& kept = pending.add(timers, at.now, from.handle, number);
        kept.token = request.token;
        kept.to = *where.to;
        kept.message = datagram.message;
        pending.grew(kept.message.size());
        ++from.reliable_pending;
        ++count.reliable_sent;
    }
    return number;
}

bool node::implementation::join_open_datagram(const send_request& request, const plan& where) {
    auto* const open = where.from->open;
    if (open == nullptr || open->destination != *request.destination) return false;
    if (open->message.size() + wire_text.size() > joined_octets_max) return false;
    open->message.append(wire_text);
    waiting.grew(wire_text.size());
    ++count.messages_out;
    ++count.coalesced;
    return true;
}

waiting_datagram& node::implementation::begin_message(const instant& at, local_entity& from,
                                                      const address& to, message_type type,
                                                      std::size_t payload_octets) {
    head.sequence_number = from.numbers.take();
    head.timestamp = at.wall_ms;
    head.type = type;
    head.source = from.address;
    head.destination = to;
    head.acknowledgements.clear();
    if (auto* const owing = from.partner(to.text()); owing != nullptr && !owing->acks.empty()) {
        constexpr std::size_t longest = 11;  // ten digits and a blank
        const auto room = header_octets(from.address.text().size(), to.text().size()) + payload_octets +
                          acknowledgements_per_message * longest;
        if (room <= message_octets_max) {
            owing->acks.take(at.now, head.acknowledgements, acknowledgements_per_message);
            owing->due.set(owing->acks.deadline());
            count.acks_sent += head.acknowledgements.size();
            if (payload_octets != 0) count.acks_piggybacked += head.acknowledgements.size();
        }
    }
    auto& out = waiting.push();
    append_header(out.message, head, options.writing);
    out.destination = to;
    waiting.grew(out.message.size());
    ++count.messages_out;
    return out;
}

// Directed unicast: only for the full address of exactly one known entity, whose last message came
// from a port of its own (section 6.2).
void node::implementation::choose_path(waiting_datagram& datagram) const {
    datagram.group = true;
    if (!options.unicast || datagram.destination.empty()) return;
    const auto* const receiver = peers.find(datagram.destination.text());
    if (receiver == nullptr || !receiver->known() ||
        !unicast_capable(receiver->last_endpoint, options.session_port))
        return;
    if (peers.matching(datagram.destination).count != 1) return;
    if (entities.has_match(datagram.destination)) return;
    datagram.group = false;
    datagram.to = receiver->last_endpoint;
}

// hello or bye: unreliable, to everyone, alone in its message (sections 9.1 and 9.2, trap W11).
void node::implementation::send_presence(const instant& at, local_entity& from, std::string_view name) {
    static const address everyone;
    auto& datagram = begin_message(at, from, everyone, message_type::unreliable, 0);
    const auto before = datagram.message.size();
    datagram.message.append(name).append(options.writing == dialect::legacy ? " ()\n" : "()\r\n");
    waiting.grew(datagram.message.size() - before);
    datagram.presence = true;
    ++count.commands_out;
}

// A dedicated acknowledgement: an unreliable message without commands (section 7, trap R4).
void node::implementation::send_acknowledgements(const instant& at, ack_partner& owing) {
    if (owing.acks.empty()) return;
    choose_path(begin_message(at, owing.entity, owing.peer, message_type::unreliable, 0));
}

std::shared_ptr<const inbound> node::implementation::make_local(const instant& at,
                                                                const send_request& request,
                                                                const plan& where, std::uint32_t number) {
    auto out = messages.take();
    out->header.sequence_number = number;
    out->header.timestamp = at.wall_ms;
    out->header.type = request.reliable ? message_type::reliable : message_type::unreliable;
    out->header.source = where.from->address;
    out->header.destination = *where.to;
    out->header.acknowledgements.clear();
    reader.write_kept(out->payload);
    out->first_command = reader.first_kept();
    out->commands = reader.kept();
    out->interface_index = 0;
    return out;
}

void node::implementation::deliver_here(const instant& at, const send_request& request, const plan& where,
                                        std::uint32_t number, match_result& matched) {
    // The sender hears itself only when it asks for itself by its full address (trap A3).
    for (const auto* each : where.where->locals)
        if (each != where.from || where.where->exact == each || where.local == each)
            matched.local.push_back(each->handle);
    bool taken = true;
    const bool something = reader.kept() != 0 || reader.commands() == 0;
    if (something && (observing || !matched.local.empty())) {
        const auto what = make_local(at, request, where, number);
        if (observing) events.observed(what);
        for (const auto handle : matched.local) {
            taken = events.deliver(handle, what);
            if (taken)
                ++count.delivered;
            else
                count.drop(drop_reason::queue_full);
        }
    }
    if (where.local == nullptr) return;
    ++count.reliable_sent;
    ++(taken ? count.reliable_acknowledged : count.reliable_failed);
    events.sent({request.token, errc::overflow, taken, where.local->address, 1, duration{}});
}

}  // namespace mbus::protocol
