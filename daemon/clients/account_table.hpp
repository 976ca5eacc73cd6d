// Accounts: clients that log in with a name and a password, by XMPP (SASL) and HTTP (Basic). They are rows
// of the client table that have SCRAM keys in place of a token.
//
//     account_table accounts{clients, kept, "bus.example"};
//     accounts.load();                                   // the daemon's secret; after clients.load()
//     auto who = accounts.check("ann", password);        // null: wrong
//
// Nobody can tell an unknown name from a wrong password: neither by the answer nor by how long it takes.
// One thread. Table and store outlive it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clients/client_table.hpp"
#include "sasl/sasl_exchange.hpp"

namespace mbusd {

// What guests are in [[rights]]: clients = ["@guest"]. No client can have this name.
inline constexpr std::string_view guest_client = "@guest";

class account_table final : public sasl_accounts {
public:
    account_table(client_table& clients, store& kept, std::string domain);

    // Before store::start().
    mbus::result<void> load();

    // Who this is; null for a wrong password or name. A password that was right is remembered as a hash, so
    // that each request of HTTP does not cost 10 000 iterations.
    std::shared_ptr<const peer_identity> check(std::string_view name, std::string_view password);
    // Of an account that has logged in; null when it has gone.
    std::shared_ptr<const peer_identity> find(std::string_view name);
    // Null when no rule of [[rights]] grants guests anything.
    std::shared_ptr<const peer_identity> guest();

    // Block lists (XEP-0191), as they were when the daemon started: (name, JID).
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& blocked_at_start() const noexcept { return blocked_; }
    void keep_blocked(std::string_view name, std::string_view jid, bool blocked);

    // --- sasl_accounts ----------------------------------------------------------------------------

    [[nodiscard]] scram_keys keys_of(std::string_view user, scram_hash hash) override;
    [[nodiscard]] bool is_own_name(std::string_view authzid, std::string_view user) const override;

private:
    client_table& clients_;
    store& kept_;
    std::string domain_;
    std::string secret_;
    std::vector<std::pair<std::string, std::string>> blocked_;
    std::map<std::string, std::string, std::less<>> proven_;  // hashes of passwords that were right, by name
};

}  // namespace mbusd
