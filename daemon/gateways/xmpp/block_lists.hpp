// Whom the accounts of a domain do not want to hear from (XEP-0191). What is blocked is a full JID, a bare
// one, or a whole domain.
//
//     block_lists lists;
//     lists.load("ann", "eve@bus.example");              // at the start, from where they are kept
//     lists.on_change([&](auto user, auto jid, bool blocked) { ... });
//     if (lists.blocks("ann", sender)) ...
//
// Users are local parts. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "gateways/xmpp/jid.hpp"

namespace mbusd::xmpp {

// Of one account; more than a person blocks by hand.
inline constexpr std::size_t blocked_of_one = 1000;

class block_lists {
public:
    using jid_list = std::set<std::string, std::less<>>;
    using change_function = std::function<void(std::string_view user, std::string_view jid, bool blocked)>;

    void load(std::string_view user, std::string_view jid) { lists_[std::string{user}].emplace(jid); }
    // Called for every change from here on.
    void on_change(change_function changed) { changed_ = std::move(changed); }

    [[nodiscard]] const jid_list& of(std::string_view user) const;
    [[nodiscard]] bool blocks(std::string_view user, const jid& other) const;
    [[nodiscard]] bool blocks(std::string_view user, std::string_view other) const;  // a JID that is well-formed

    // False: the list is full.
    bool add(std::string_view user, const jid& whom);
    void remove(std::string_view user, const jid& whom);
    // The account has gone.
    void forget(std::string_view user) { lists_.erase(std::string{user}); }

private:
    std::map<std::string, jid_list, std::less<>> lists_;
    change_function changed_;
};

}  // namespace mbusd::xmpp
