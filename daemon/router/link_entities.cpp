// Entities over links: which of ours take part over there, and hosting theirs here.
#include <algorithm>
#include <utility>

#include "router/link_table.hpp"

namespace mbusd {
namespace {

using mbus::errc;
using mbus::mbws::entity_state;
using mbus::mbws::link_role;
using mbus::mbws::link_session;
using mbus::mbws::time_point;

bool fits(const std::vector<mbus::address>& patterns, const mbus::address& who) noexcept {
    return std::ranges::any_of(patterns, [&](const auto& pattern) { return who.answers_to(pattern); });
}

// Calls a function for what for_each_known() tells.
class known_entities final : public entity_observer {
public:
    using visitor = std::function<void(const mbus::address&, const participant*)>;
    explicit known_entities(visitor visit) : visit_(std::move(visit)) {}
    void entity_changed(const mbus::address& who, entity_state, bool, const participant* host) override {
        visit_(who, host);
    }

private:
    visitor visit_;
};

}  // namespace

std::string_view broker_of(const mbus::address& entity) noexcept {
    const auto id = entity.find("broker");
    if (!id || entity.find("module") != "mbusd" || !mbus::mbws::is_broker_id(*id)) return {};
    return *id;
}

bool link_table::is_link(const participant* host) const {
    return host != nullptr && std::ranges::any_of(links_, [&](const auto& each) { return each.second.get() == host; });
}

// What was learnt over a link goes no further unless `transit` says so; daemons are shown whatever the
// patterns, so that double ways are seen (docs/mbws.md, section 9).
bool link_table::takes_part(const hosted_link& link, const mbus::address& who, const participant* host) const {
    if (host == &link || (is_link(host) && !link.policy_.transit)) return false;
    return !broker_of(who).empty() || fits(link.policy_.send, who);
}

void link_table::show_all(hosted_link& link) {
    if (link.session_.token().empty()) return;
    known_entities each{[&](const mbus::address& who, const participant* host) {
        if (takes_part(link, who, host)) {
            link.session_.attach(now(), who);
        } else {
            link.session_.detach(now(), who);
        }
    }};
    hub_.for_each_known(each);
}

void link_table::show_again(time_point now, hosted_link& link) {
    link.refused_again_ = mbus::mbws::never;
    const auto refused = std::exchange(link.refused_, {});
    known_entities each{[&](const mbus::address& who, const participant* host) {
        if (std::ranges::find(refused, who) != refused.end() && takes_part(link, who, host)) {
            link.session_.attach(now, who);
        }
    }};
    hub_.for_each_known(each);
}

// A program that attaches, sends and leaves may be heard before its hello.
bool link_table::show_guest(time_point now, hosted_link& link, std::string_view from) {
    const auto who = mbus::address::parse(from);
    if (!who || !who->find("id") || !takes_part(link, *who, nullptr)) return false;
    link.session_.attach(now, *who);
    if (!link.session_.attached(who->text())) return false;
    link.guests_.push_back(*who);
    if (link.guests_until_ == mbus::mbws::never) link.guests_until_ = now + link_guest_patience;
    return true;
}

void link_table::settle_guests(time_point now, hosted_link& link) {
    link.guests_until_ = mbus::mbws::never;
    auto gone = std::exchange(link.guests_, {});
    known_entities each{[&](const mbus::address& who, const participant*) { std::erase(gone, who); }};
    hub_.for_each_known(each);
    for (const auto& who : gone) link.session_.detach(now, who);
}

void link_table::link_up(time_point now, link_session& session, bool resumed) {
    auto& link = owner_of(session);
    link.reason_.clear();
    if (link.caller_ != nullptr) link.caller_->link_is_up();
    log_.limited(level::notice, "link/" + link.name_, resumed ? "link resumed" : "link up",
                 {{"link", link.name_}, {"broker", session.peer_broker()}});
    if (resumed) {
        show_all(link);  // what came and went meanwhile
        return;
    }
    if (session.role() == link_role::calling) {
        if (session.peer_broker() == hub_.broker()) {
            close_joined(now, link, "the link leads back to this daemon; change its url");
            return;
        }
        if (!keeps_against_twin(now, link)) return;
        if (joined_already(session.peer_broker(), &link)) {
            close_joined(now, link, "the other daemon is reached already, on the bus or over another link");
            return;
        }
    }
    show_all(link);
}

void link_table::entity_changed(const mbus::address& who, entity_state state, bool local, const participant* host) {
    const bool here = state == entity_state::present || state == entity_state::joined;
    if (const auto broker = broker_of(who); !local && !broker.empty()) {
        if (here) {
            if (++bus_brokers_[std::string{broker}] == 1) {
                suspects_.push_back(who);
                turns_.add(*this);
            }
        } else if (const auto known = bus_brokers_.find(broker); known != bus_brokers_.end() && --known->second == 0) {
            bus_brokers_.erase(known);
        }
    }
    if (links_.empty()) return;
    const auto at = now();
    for (auto& [id, link] : links_) {
        if (link->over_ || link->session_.token().empty()) continue;
        if (!here) {
            std::erase(link->refused_, who);
            link->session_.detach(at, who);
        } else if (takes_part(*link, who, host)) {
            link->session_.attach(at, who);
        }
    }
}

// --- entities of the other side -----------------------------------------------------------------

mbus::result<std::uint64_t> link_table::link_attach(time_point now, link_session& session, const mbus::address& entity) {
    auto& link = owner_of(session);
    const auto broker = broker_of(entity);
    if (broker.empty()) {
        if (!fits(link.policy_.receive, entity)) {
            return {errc::forbidden, "the entity is not among those that this link receives; extend 'receive' of its "
                                     "[[link]] in mbusd.toml"};
        }
        if (link.who_) {
            if (auto no = link.who_->rights->refuses_attach(entity)) return {errc::forbidden, std::move(*no)};
        }
    } else if (broker == hub_.broker()) {
        return {errc::conflict, "this daemon's own entity is here already"};
    } else {
        settle_paths(now, link, broker);
        if (session.state() != mbus::mbws::link_state::active) return {errc::conflict, link.reason_};
    }
    auto handle = hub_.join(link, entity, {});
    if (!handle) return std::move(handle).error();
    const auto named = static_cast<std::uint64_t>(*handle);
    if (!broker.empty()) link.brokers_[named] = broker;
    return named;
}

void link_table::link_detach(time_point, link_session& session, std::uint64_t handle) {
    owner_of(session).brokers_.erase(handle);
    hub_.leave(static_cast<mbus::protocol::entity_handle>(handle));
}

void link_table::link_refused(time_point now, link_session& session, const mbus::address& entity, const mbus::error& why) {
    auto& link = owner_of(session);
    log_.debug("an entity was refused over a link",
               {{"link", link.name_}, {"entity", std::string{entity.text()}}, {"reason", why.text}});
    // Rules that forbid it hold until the next session; all else may pass.
    if (why.code == errc::forbidden || why.code == errc::bad_address) return;
    link.refused_.push_back(entity);
    if (link.refused_again_ == mbus::mbws::never) link.refused_again_ = now + link_refused_again;
}

}  // namespace mbusd
