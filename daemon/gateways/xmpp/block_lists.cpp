#include "gateways/xmpp/block_lists.hpp"

#include <utility>

namespace mbusd::xmpp {

const block_lists::jid_list& block_lists::of(std::string_view user) const {
    static const jid_list nobody;
    const auto found = lists_.find(user);
    return found == lists_.end() ? nobody : found->second;
}

bool block_lists::blocks(std::string_view user, const jid& other) const {
    const auto& list = of(user);
    return !list.empty() && (list.contains(other.full()) || list.contains(other.bare()) || list.contains(other.domain));
}

bool block_lists::blocks(std::string_view user, std::string_view other) const {
    if (of(user).empty()) return false;
    const auto whom = jid::parse(other);
    return whom && blocks(user, *whom);
}

bool block_lists::add(std::string_view user, const jid& whom) {
    auto& list = lists_[std::string{user}];
    if (list.size() >= blocked_of_one && !list.contains(whom.full())) return false;
    if (list.insert(whom.full()).second && changed_) changed_(user, whom.full(), true);
    return true;
}

void block_lists::remove(std::string_view user, const jid& whom) {
    const auto found = lists_.find(user);
    if (found == lists_.end() || found->second.erase(whom.full()) == 0) return;
    if (found->second.empty()) lists_.erase(found);
    if (changed_) changed_(user, whom.full(), false);
}

}  // namespace mbusd::xmpp
