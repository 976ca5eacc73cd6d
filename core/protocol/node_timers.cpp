// What happens by itself: hellos, silent peers, acknowledgements that are due, retransmissions.
#include <algorithm>

#include "protocol/limits.hpp"
#include "protocol/node_parts.hpp"

namespace mbus::protocol {

time_point node::implementation::next_deadline() const noexcept {
    return std::min({timers.next(), sweep_at, shrunk_at});
}

void node::implementation::advance(const instant& at) {
    if (sweep_at <= at.now) sweep(at);
    if (shrunk_at != never) reconsider_hellos(at);
    while (timer* const due = timers.take_due(at.now)) {
        switch (due->what()) {
        case timer::kind::hello: say_hello(at, *static_cast<local_entity*>(due->owner())); break;
        case timer::kind::acknowledge:
            send_acknowledgements(at, *static_cast<ack_partner*>(due->owner()));
            break;
        case timer::kind::retransmit: retransmit(at, *static_cast<pending_send*>(due->owner())); break;
        }
    }
}

// Removes peers that were silent for too long (sections 8 and 8.2). Their pending sends run on: the
// peer may only have been unreachable (trap R11).
void node::implementation::sweep(const instant& at) {
    const auto timeout = peer_timeout(member_count());  // anew at every check (trap W10)
    while (auto* const gone = peers.silent(at.now, timeout)) {
        peers.lose(at.now, *gone);
        routes.peers_changed();
        membership_shrank(at);
        events.peer_changed(view_of(*gone), peer_state::lost);
    }
    sweep_at = peers.silent_at(timeout);
}

void node::implementation::reconsider_hellos(const instant& at) {
    shrunk_at = never;
    const auto members = member_count();
    entities.for_each([&](local_entity& each) {
        each.hello.shrink(at.now, members);
        each.hello_timer.set(each.hello.deadline());
    });
    sweep_at = std::min(sweep_at, peers.silent_at(peer_timeout(members)));
}

void node::implementation::say_hello(const instant& at, local_entity& who) {
    if (who.hello.expire(at.now, member_count(), random)) {
        send_presence(at, who, "mbus.hello");
        ++count.hellos_sent;
    }
    who.hello_timer.set(who.hello.deadline());
}

void node::implementation::retransmit(const instant& at, pending_send& which) {
    switch (which.schedule.advance(at.now)) {
    case retransmitter::verdict::wait: break;
    case retransmitter::verdict::give_up: return finish(which, at.now, false, errc::not_acknowledged);
    case retransmitter::verdict::retransmit: {
        ++count.retransmissions;
        auto& again = waiting.push();
        again.message = which.message;
        again.destination = which.to;
        waiting.grew(again.message.size());
        choose_path(again);
        break;
    }
    }
    which.due.set(which.schedule.deadline());
}

void node::implementation::finish(const pending_send& which, time_point now, bool was_acknowledged,
                                  errc outcome) {
    const auto ended = pending.take(which);
    if (auto* const from = entities.find(ended->from)) --from->reliable_pending;
    ++(was_acknowledged ? count.reliable_acknowledged : count.reliable_failed);
    events.sent({ended->token, outcome, was_acknowledged, ended->to, ended->schedule.transmissions(),
                 now - ended->schedule.started()});
}

}  // namespace mbus::protocol
