#include "protocol/peer_table.hpp"

#include <algorithm>

#include "protocol/limits.hpp"
#include "protocol/sequence.hpp"
#include "protocol/session_config.hpp"

namespace mbus::protocol {

peer* peer_table::find(std::string_view address) noexcept {
    if (last_found_ != nullptr && last_found_->address.text() == address) return last_found_;
    const auto found = peers_.find(address);
    if (found == peers_.end()) return nullptr;
    return last_found_ = found->second.get();
}

const peer* peer_table::find(std::string_view address) const noexcept {
    const auto found = peers_.find(address);
    return found == peers_.end() ? nullptr : found->second.get();
}

peer& peer_table::meet(time_point now, const address& who) {
    forget_oldest(now);
    auto added = std::make_unique<peer>();
    added->address = who;
    added->last_heard = now;
    auto& stranger = *added;
    stranger.place = acquaintances_.insert(acquaintances_.end(), &stranger);
    peers_.emplace(stranger.address.text(), std::move(added));
    return stranger;
}

void peer_table::hear(time_point now, peer& who, const endpoint& from) noexcept {
    who.last_endpoint = from;
    who.last_heard = now;
    auto& order = who.known() ? known_ : acquaintances_;
    if (order.back() == &who) return;
    order.splice(order.end(), order, who.place);
}

bool peer_table::join(time_point now, peer& who) {
    if (known_.size() >= peers_max) return false;
    known_.splice(known_.end(), acquaintances_, who.place);
    who.state = peer::standing::known;
    who.first_heard = who.last_heard = now;
    who.bye_number.reset();
    who.was_ours = false;
    by_id_.emplace(who.address.find("id").value_or(""), &who);
    return true;
}

bool peer_table::is_late_hello(time_point now, const peer& who, std::uint32_t number) noexcept {
    return who.bye_number && now - who.left_at < late_hello && distance(*who.bye_number, number) < 0;
}

void peer_table::leave(time_point now, peer& who, std::uint32_t number) {
    depart(now, who);
    who.bye_number = number;
    who.left_at = now;
}

void peer_table::remember_own(time_point now, const address& ours, std::uint32_t next_number) {
    auto* const heard = find(ours.text());
    auto& echo = heard != nullptr ? *heard : meet(now, ours);
    echo.was_ours = true;
    echo.left_at = now;
    echo.next_number = next_number;
}

peer* peer_table::silent(time_point now, duration timeout) noexcept {
    return silent_at(timeout) <= now ? known_.front() : nullptr;
}

time_point peer_table::silent_at(duration timeout) const noexcept {
    return known_.empty() ? never : known_.front()->last_heard + timeout;
}

void peer_table::lose(time_point now, peer& who) { depart(now, who); }

void peer_table::forget(std::string_view address) {
    if (auto* const who = find(address); who != nullptr && !who->known()) erase(*who);
}

peer_matches peer_table::matching(const address& target) const {
    peer_matches out;
    const auto check = [&](const peer& candidate) {
        if (!candidate.address.answers_to(target)) return;
        out.only = ++out.count == 1 ? &candidate : nullptr;
    };
    if (target.empty()) {
        out.count = known_.size();
        out.only = out.count == 1 ? known_.front() : nullptr;
    } else if (const auto id = target.find("id")) {
        const auto [first, last] = by_id_.equal_range(*id);
        std::for_each(first, last, [&](const auto& entry) { check(*entry.second); });
    } else {
        for (const peer* each : known_) check(*each);
    }
    return out;
}

void peer_table::depart(time_point now, peer& who) {
    if (who.known()) {
        const auto [first, last] = by_id_.equal_range(who.address.find("id").value_or(""));
        by_id_.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == &who; }));
        acquaintances_.splice(acquaintances_.end(), known_, who.place);
    } else {
        acquaintances_.splice(acquaintances_.end(), acquaintances_, who.place);
    }
    who.state = peer::standing::departed;
    who.bye_number.reset();
    who.last_heard = now;
    forget_oldest(now);
}

void peer_table::forget_oldest(time_point now) {
    while (!acquaintances_.empty() && (acquaintances_.size() >= acquaintances_max ||
                                       now - acquaintances_.front()->last_heard >= acquaintance_kept))
        erase(*acquaintances_.front());
}

void peer_table::erase(peer& who) {
    if (last_found_ == &who) last_found_ = nullptr;
    acquaintances_.erase(who.place);
    peers_.erase(peers_.find(who.address.text()));
}

bool unicast_capable(const endpoint& from, std::uint16_t session_port) noexcept {
    return from.port != 0 && from.port != default_port && from.port != session_port;
}

}  // namespace mbus::protocol
