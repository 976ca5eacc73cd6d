// The clients that have a token, and what they may do: in memory, and in the store.
//
//     client_table clients{kept, wall_ms};
//     clients.load();
//     clients.use_rights(settings.rights);               // again after each reload
//     router.use_clients(clients);
//     clients.on_withdrawn([&](const std::string& identity) { router.end_sessions_of(identity, ...); });
//
// A new token is good when it is stored; a withdrawn one is bad at once, whatever the disk does.
// One thread. The store outlives it, and no `done` runs after it has gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <mbus/result.hpp>

#include "config/rights.hpp"
#include "router/client_directory.hpp"
#include "store/client_rows.hpp"

namespace mbusd {

// Names are made by administrators; this bounds what a script that runs wild leaves behind.
inline constexpr std::size_t clients_max = 65536;

class client_table final : public client_directory {
public:
    using clock_function = std::function<std::uint64_t()>;  // milliseconds since 1970
    using done_function = std::function<void(const mbus::result<void>&)>;

    client_table(store& kept, clock_function wall_ms);

    // Before store::start(). Errors: a row that can't be understood; the others are there.
    mbus::result<void> load();
    // The [[rights]] rules; for connections that are made from now on.
    void use_rights(const rights_table& rules);
    // A token is not good any more: replaced, removed, expired. Gets user_identity::identity().
    void on_withdrawn(std::function<void(const std::string& identity)> tell) { withdrawn_ = std::move(tell); }

    // Errors: bad_argument for the name or the hash; conflict for a name that is there (without
    // `replace`) or a hash that is; limit; those of the store.
    void add(stored_client client, bool replace, done_function done);
    // Errors: not_found; conflict while the client is being stored; those of the store, and then the token comes back with the next start.
    void remove(const std::string& name, done_function done);

    // Removes what has expired.
    void sweep();
    // When sweep() has something to do, in milliseconds since 1970; 0: never.
    [[nodiscard]] std::uint64_t next_expiry() const noexcept { return expiries_.empty() ? 0 : expiries_.begin()->first; }
    // Called when next_expiry() may have changed.
    void on_expiry(std::function<void()> changed) { expiry_changed_ = std::move(changed); }

    void for_each(const std::function<void(const stored_client&)>& visit) const;  // by name
    [[nodiscard]] std::size_t size() const noexcept { return clients_.size(); }

    // --- for accounts (account_table.hpp) -----------------------------------------------------

    // The keys of an account; null when there is no such account (any more).
    [[nodiscard]] const stored_login* login_of(std::string_view name, std::string_view mechanism) const;
    std::shared_ptr<const peer_identity> find_account(std::string_view name);
    // What [[rights]] and `own` grant to a client of that name.
    [[nodiscard]] std::shared_ptr<const peer_identity> identity_of(const std::string& name, const rights_rule& own) const;

    // --- client_directory -----------------------------------------------------------------

    std::shared_ptr<const peer_identity> find_client(std::string_view token) override;
    [[nodiscard]] std::shared_ptr<const peer_identity> find_named(std::string_view name) override;
    [[nodiscard]] bool withdrawn(const peer_identity& who) const override;

private:
    struct entry {
        stored_client client;
        std::shared_ptr<const peer_identity> identity;  // made when it is first asked for
    };

    [[nodiscard]] mbus::result<void> check(const stored_client& client, bool replace) const;
    [[nodiscard]] bool expired(const stored_client& client) const;
    void put(stored_client client);
    void erase(const std::string& name);
    std::shared_ptr<const peer_identity> identity_of(entry& each);

    store& kept_;
    clock_function wall_ms_;
    rights_table rules_;
    std::function<void(const std::string&)> withdrawn_;
    std::map<std::string, entry, std::less<>> clients_;       // by name
    std::unordered_map<std::string, std::string> by_hash_;    // the names
    std::set<std::pair<std::uint64_t, std::string>> expiries_;
    std::function<void()> expiry_changed_;
    std::set<std::string> storing_;                           // names on their way into the store
};

}  // namespace mbusd
