// From the bus to local entities: the order of checks and effects for one datagram (RFC 3259,
// sections 4, 7, 9 and 11.4; docs/architecture.md).
#include <algorithm>
#include <optional>
#include <string>

#include "protocol/node_parts.hpp"

namespace mbus::protocol {

// One datagram on its way through the engine.
struct node::implementation::arrival {
    const instant& at;
    const endpoint& from;
    header_view head;
    peer* who = nullptr;                  // its source; null: not met yet
    std::optional<address> stranger;      // the address of a source that is not met yet
    const route* where = nullptr;         // who answers to its destination
    local_entity* reliable_to = nullptr;  // the receiver of an R message, when that is ours

    [[nodiscard]] bool reliable() const noexcept { return head.type == message_type::reliable; }
    [[nodiscard]] bool for_us() const noexcept {
        return reliable() ? reliable_to != nullptr : !where->locals.empty();
    }
    // hello and bye go to everyone; also to one of ours they are honoured (trap W11).
    [[nodiscard]] bool concerns_us() const noexcept {
        return where->destination.empty() || !where->locals.empty();
    }
};

void node::implementation::receive(const instant& at, std::string_view datagram, const endpoint& from) {
    ++count.datagrams_in;
    count.octets_in += datagram.size();
    const auto opened = security.open(datagram, at.wall_ms, plain_text);
    if (!opened.ok) return count.drop(opened.reason);
    const auto reading = options.legacy ? dialect::legacy : dialect::rfc;
    auto head_read = scan_header(opened.message, reading);
    if (!head_read)
        return count.drop(head_read.error().code == errc::bad_version ? drop_reason::bad_version
                                                                      : drop_reason::bad_header);
    arrival what{at, from, *head_read, nullptr, {}, nullptr, nullptr};
    acknowledgements.clear();
    if (!parse_acknowledgements(what.head.acknowledgements, acknowledgements))
        return count.drop(drop_reason::bad_header);
    what.who = source_of(what);
    if (what.who == nullptr && !what.stranger) return;  // counted there
    what.where = routes.find(what.head.destination);
    if (what.where == nullptr) return count.drop(drop_reason::bad_header);
    // Everything is read before anything has an effect (trap S13).
    if (!reader.read(opened.message.substr(what.head.payload_offset), reading))
        return count.drop(drop_reason::bad_body);
    ++count.messages_in;
    count.commands_in += reader.commands();
    if (what.reliable()) {
        what.reliable_to = what.where->exact;
        // Java and UCL send R to a subset; taken only when it can mean one of ours alone.
        if (what.reliable_to == nullptr && options.legacy && what.where->locals.size() == 1)
            what.reliable_to = what.where->locals.front();
    }
    if (is_copy(what)) return;
    accept(what);
}

// The peer that sent it. Null and no `stranger`: dropped; null and `stranger`: not met before.
peer* node::implementation::source_of(arrival& what) {
    const auto look_up = [&](std::string_view text, peer*& known) {
        known = peers.find(text);
        const bool ours =
            known != nullptr ? peer_table::is_late_echo(what.at.now, *known) : entities.find(text) != nullptr;
        if (ours) known = nullptr;
        return ours;
    };
    peer* known = nullptr;
    bool ours = look_up(what.head.source, known);
    if (known == nullptr && !ours) {
        auto parsed = address::parse(what.head.source);
        if (!parsed || !parsed->find("id")) {
            count.drop(parsed ? drop_reason::source_without_id : drop_reason::bad_header);
            return nullptr;
        }
        // Elements may stand in another order, or more blanks between them.
        if (parsed->text() != what.head.source) ours = look_up(parsed->text(), known);
        if (known == nullptr && !ours) what.stranger = std::move(*parsed);
    }
    if (ours) count.drop(drop_reason::own_echo);
    return known;
}

// Copies have no effect, but a reliable one is acknowledged again (traps R3 and C10).
bool node::implementation::is_copy(arrival& what) {
    if (what.who == nullptr) {
        what.who = &peers.meet(what.at.now, *what.stranger);
        return false;
    }
    const auto& who = *what.who;
    const bool silent = who.state == peer::standing::departed ||
                        (!who.known() && what.at.now - who.last_heard > number_window::remembered);
    const auto number = what.head.sequence_number;
    switch (silent ? who.heard.look_after_silence(number, what.head.timestamp)
                   : who.heard.look(number, what.head.timestamp)) {
    case duplicate_filter::verdict::fresh: return false;
    case duplicate_filter::verdict::duplicate: count.drop(drop_reason::duplicate); break;
    case duplicate_filter::verdict::replayed: count.drop(drop_reason::replayed); return true;
    }
    if (what.reliable() && what.for_us()) owe_acknowledgement(what);
    return true;
}

void node::implementation::accept(arrival& what) {
    auto& who = *what.who;
    peers.hear(what.at.now, who, what.from);
    if (what.reliable() && what.reliable_to == nullptr) {
        // Section 7: a reliable message to a mere subset MUST NOT be accepted.
        count.drop(what.where->locals.empty() ? drop_reason::not_for_us : drop_reason::reliable_not_exact);
        who.heard.remember(what.head.sequence_number, what.head.timestamp, what.at.now);
        if (observing && reader.kept() != 0) events.observed(make_inbound(what));
        return;
    }
    acknowledged(what);
    if (what.concerns_us()) count_ignored();
    if (reader.has_hello() && what.concerns_us()) hello_from(what.at, who, what.head.sequence_number);
    const bool taken = deliver(what);
    if (what.reliable()) {
        if (!taken) return;  // not remembered: its retransmission gets another chance
        owe_acknowledgement(what);
    }
    who.heard.remember(what.head.sequence_number, what.head.timestamp, what.at.now);
    after_delivery(what);
}

// The AckList counts when it comes from exactly the entity that the message went to, and is
// addressed to exactly the one that sent it (trap R5).
void node::implementation::acknowledged(const arrival& what) {
    if (acknowledgements.empty() || what.where->locals.empty()) return;
    for (const auto number : acknowledgements) {
        const auto* const found =
            what.where->exact == nullptr ? nullptr : pending.find(what.where->exact->handle, number);
        if (found == nullptr || found->to != what.who->address)
            count.drop(drop_reason::foreign_ack);
        else
            finish(*found, what.at.now, true, errc::internal);
    }
}

// Traps M4 and M5: such commands are ignored, the rest of the message is not.
void node::implementation::count_ignored() noexcept {
    for (auto left = reader.malformed(); left > 0; --left) count.drop(drop_reason::bad_mbus_command);
    for (auto left = reader.unknown(); left > 0; --left) count.drop(drop_reason::unknown_mbus_command);
}

// False: a receiver refused it.
bool node::implementation::deliver(arrival& what) {
    const bool empty = reader.commands() == 0;
    const bool acknowledgement = empty && !what.reliable() && !acknowledgements.empty();
    const bool something = reader.kept() != 0 || (empty && !acknowledgement);
    if (!what.for_us()) {
        // hello and bye concern us even without local entities
        if (!(reader.has_hello() || reader.has_bye()) || !what.where->destination.empty())
            count.drop(drop_reason::not_for_us);
        if (observing && something) events.observed(make_inbound(what));
        return true;
    }
    if (!something) return true;
    const std::shared_ptr<const inbound> message = make_inbound(what);
    if (observing) events.observed(message);
    bool taken = true;
    const auto hand_to = [&](const local_entity& receiver) {
        taken = events.deliver(receiver.handle, message);
        if (taken)
            ++count.delivered;
        else
            count.drop(drop_reason::queue_full);
    };
    if (what.reliable_to != nullptr)
        hand_to(*what.reliable_to);
    else
        for (const auto* each : what.where->locals) hand_to(*each);
    return taken;
}

void node::implementation::after_delivery(arrival& what) {
    if (reader.has_ping()) {
        for (auto* each : what.where->locals) {
            if (what.reliable_to != nullptr && each != what.reliable_to) continue;
            each->hello.ping(what.at.now, random);
            each->hello_timer.set(each->hello.deadline());
        }
    }
    if (reader.has_bye() && what.concerns_us()) bye_from(what.at, *what.who, what.head.sequence_number);
}

void node::implementation::owe_acknowledgement(const arrival& what) {
    auto& partner = what.reliable_to->partner_for(timers, what.at.now, what.who->address);
    partner.acks.received(what.at.now, what.head.sequence_number);
    partner.due.set(partner.acks.deadline());
}

std::shared_ptr<inbound> node::implementation::make_inbound(const arrival& what) {
    auto out = messages.take();
    out->header.sequence_number = what.head.sequence_number;
    out->header.timestamp = what.head.timestamp;
    out->header.type = what.head.type;
    out->header.source = what.who->address;
    out->header.destination = what.where->destination;
    out->header.acknowledgements = acknowledgements;
    reader.write_kept(out->payload);
    out->first_command = reader.first_kept();
    out->commands = reader.kept();
    out->interface_index = what.from.interface_index;
    return out;
}

}  // namespace mbus::protocol
