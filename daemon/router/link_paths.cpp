// One bus, one link (docs/mbws.md, section 9): two ways between the same two buses would deliver
// everything twice, so one of them stands by.
#include <algorithm>
#include <optional>
#include <utility>

#include "router/link_table.hpp"

namespace mbusd {

using mbus::errc;
using mbus::mbws::link_role;
using mbus::mbws::link_state;
using mbus::mbws::time_point;

bool link_table::joined_already(std::string_view broker, const hosted_link* except) const {
    if (bus_brokers_.contains(broker)) return true;
    return std::ranges::any_of(links_, [&](const auto& each) {
        const auto& link = *each.second;
        if (&link == except || link.over_) return false;
        return std::ranges::any_of(link.brokers_, [&](const auto& known) { return known.second == broker; });
    });
}

hosted_link* link_table::active_link_to(std::string_view broker, const hosted_link* except) const {
    for (const auto& [id, link] : links_) {
        const auto state = link->session_.state();
        if (link.get() == except || link->over_ || (state != link_state::active && state != link_state::lost)) continue;
        if (link->session_.peer_broker() == broker) return link.get();
    }
    return nullptr;
}

void link_table::close_joined(time_point now, hosted_link& link, std::string_view why) {
    log_.limited(level::notice, "link-joined/" + link.name_, "a link stands by: it would join two buses a second time",
                 {{"link", link.name_}, {"broker", link.session_.peer_broker()}, {"reason", std::string{why}}});
    link.reason_ = why;
    link.session_.close(now, {errc::conflict, std::string{why}});
}

// Two daemons that call each other keep the link called by the lower id. False: `fresh` is closed.
bool link_table::keeps_against_twin(time_point now, hosted_link& fresh) {
    const auto& peer = fresh.session_.peer_broker();
    auto* other = active_link_to(peer, &fresh);
    if (other == nullptr) return true;
    if (other->session_.role() == link_role::called && other->session_.state() == link_state::lost) {
        // Nobody resumes it: the other daemon has this new way.
        other->session_.end(now, {errc::no_session, "another link leads to the same daemon"});
        return true;
    }
    if (other->session_.role() == link_role::called && hub_.broker() < peer) {
        close_joined(now, *other, "this daemon, whose id is lower, calls the other one");
        return true;
    }
    close_joined(now, fresh, "another link leads to the same daemon");
    return false;
}

// `attached` is a daemon that the other side of `link` shows. When another link leads to it as well, or
// to its bus, the link to the higher of the two ids goes.
void link_table::settle_paths(time_point now, hosted_link& link, std::string_view attached) {
    const std::string& mine = link.session_.peer_broker();
    if (attached == mine) return;
    for (auto& [id, other] : links_) {
        if (other.get() == &link || other->over_ || other->session_.state() != link_state::active) continue;
        const bool leads_there =
            other->session_.peer_broker() == attached ||
            std::ranges::any_of(other->brokers_, [&](const auto& known) { return known.second == attached; });
        if (!leads_there || other->session_.peer_broker() == mine) continue;
        auto& higher = mine < other->session_.peer_broker() ? *other : link;
        close_joined(now, higher, "another link leads to the same bus");
        return;
    }
}

// The engine's events may not ask the engine, so what they found is looked at in the end of the turn.
void link_table::settle_suspects() {
    for (const auto& who : std::exchange(suspects_, {})) {
        const auto broker = broker_of(who);
        if (!bus_brokers_.contains(broker)) continue;
        settle_path_on_bus(now(), who, broker);
    }
}

// A daemon to which an active link leads is heard on the bus as well: some other daemon of this bus
// hosts it. Of this daemon and that one the higher id closes its link.
void link_table::settle_path_on_bus(time_point now, const mbus::address& who, std::string_view broker) {
    auto* link = active_link_to(broker, nullptr);
    if (link == nullptr || stopping_) return;
    std::optional<mbus::protocol::endpoint> place;
    hub_.for_each_peer([&](const mbus::protocol::peer_view& peer) {
        if (*peer.address == who) place = peer.last_endpoint;
    });
    // The entities of one daemon come from one endpoint; its own is among them.
    std::string lowest;
    hub_.for_each_peer([&](const mbus::protocol::peer_view& peer) {
        const auto id = broker_of(*peer.address);
        if (id.empty() || id == broker || !place || !(peer.last_endpoint == *place)) return;
        if (lowest.empty() || id < lowest) lowest = id;
    });
    if (lowest.empty()) {
        close_joined(now, *link, "the other daemon is on this bus");
    } else if (lowest < hub_.broker()) {
        close_joined(now, *link, "another daemon of this bus, whose id is lower, has a link to the same bus");
    }
}

}  // namespace mbusd
