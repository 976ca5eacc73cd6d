// Local entities coming and going, and the peers' hello and bye (RFC 3259, sections 4.1, 8, 9).
#include <algorithm>
#include <string>

#include "protocol/limits.hpp"
#include "protocol/node_parts.hpp"

namespace mbus::protocol {

result<entity_handle> node::implementation::attach(const instant& at, const address& own,
                                                   std::uint32_t process_id,
                                                   std::optional<std::uint32_t> wanted_first) {
    if (entities.size() >= entities_max)
        return {errc::limit,
                "this daemon has " + std::to_string(entities_max) + " entities, the most it takes"};
    auto full = entities.complete(own, process_id, options.host_id);
    if (!full) return std::move(full).error();
    const auto* const heard = peers.find(full->text());
    if (entities.find(full->text()) != nullptr || (heard != nullptr && heard->known()))
        return {errc::conflict, "the address " + std::string{full->text()} + " is in use"};
    // An address that comes back goes on counting, so that nobody takes its hello for one that its
    // own bye has overtaken (trap W7).
    const auto first = wanted_first ? *wanted_first
                       : heard != nullptr && heard->was_ours ? heard->next_number
                                                             : options.first_sequence_number;
    peers.forget(full->text());
    const auto wrap = options.legacy ? sequence::wrap::legacy : sequence::wrap::rfc;
    auto& added = entities.add(timers, *full, sequence{first, wrap}, hello_schedule{at.now, random});
    routes.entities_changed();
    return added.handle;
}

void node::implementation::detach(const instant& at, local_entity& which, errc outcome_of_pending) {
    // What it owes goes out first: a listener that ends after one message still acknowledges it.
    which.for_each_owing([&](ack_partner& owing) {
        while (!owing.acks.empty()) send_acknowledgements(at, owing);
    });
    send_presence(at, which, "mbus.bye");
    if (which.open != nullptr) which.open->open_for = nullptr;
    if (which.reliable_pending != 0) {
        const auto mine = [&](const pending_send& each) { return each.from == which.handle; };
        for (const auto* each : pending.select(mine)) finish(*each, at.now, false, outcome_of_pending);
    }
    peers.remember_own(at.now, which.address, which.numbers.peek());
    entities.remove(which);
    routes.entities_changed();
    membership_shrank(at);
}

void node::implementation::detach_all(const instant& at) {
    std::vector<local_entity*> all;
    entities.for_each([&](local_entity& each) { all.push_back(&each); });
    std::ranges::sort(all, {}, [](const local_entity* each) { return each->handle; });
    for (auto* each : all) detach(at, *each, errc::shutting_down);
}

// Dealt with at the next advance(), once for all that leave in one turn (trap W6).
void node::implementation::membership_shrank(const instant& at) noexcept {
    shrunk_at = std::min(shrunk_at, at.now);
}

peer_view node::implementation::view_of(const peer& who) const noexcept {
    return {&who.address, who.last_endpoint, unicast_capable(who.last_endpoint, options.session_port),
            who.first_heard, who.last_heard};
}

void node::implementation::hello_from(const instant& at, peer& who, std::uint32_t number) {
    ++count.hellos_heard;
    if (who.known()) return;
    if (peer_table::is_late_hello(at.now, who, number)) return count.drop(drop_reason::late_after_bye);
    if (!peers.join(at.now, who)) return count.drop(drop_reason::peers_full);
    routes.peers_changed();
    sweep_at = std::min(sweep_at, peers.silent_at(peer_timeout(member_count())));
    events.peer_changed(view_of(who), peer_state::joined);
}

void node::implementation::bye_from(const instant& at, peer& who, std::uint32_t number) {
    const bool member = who.known();
    peers.leave(at.now, who, number);
    if (!member) return;
    routes.peers_changed();
    membership_shrank(at);
    events.peer_changed(view_of(who), peer_state::left);
    if (pending.size() == 0) return;
    // Nobody will acknowledge these any more (trap R11).
    const auto lost = [&](const pending_send& each) { return each.to == who.address; };
    for (const auto* each : pending.select(lost)) finish(*each, at.now, false, errc::left);
}

}  // namespace mbus::protocol
