// The table `clients`: who has a token, stored as a hash only, or a password (account_rows.hpp), and what
// it may do.
//
//     transaction changes;
//     put_client(changes, client);
//     load_clients(kept, [&](stored_client&& one) { ... });
//
// Thread-safety: plain values; load_clients() like store::load().
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/rights.hpp"
#include "store/account_rows.hpp"
#include "store/store.hpp"

namespace mbusd {

struct stored_client {
    std::string name;
    std::string token_hash;          // BLAKE2b-256, 32 octets (config/client_token.hpp)
    rights_rule rights;              // users, groups and clients stay empty
    std::uint64_t created_ms = 0;    // since 1970
    std::uint64_t expires_ms = 0;    // 0: never
    std::vector<stored_login> logins{};  // an account: it has a password and no token

    bool operator==(const stored_client&) const = default;
};

// Replaces the one of that name.
void put_client(transaction& to, const stored_client& client);
void drop_client(transaction& to, std::string_view name);
// A row that can't be understood is an error: it might be a right too many or too few.
mbus::result<void> load_clients(store& from, const std::function<void(stored_client&&)>& visit);

}  // namespace mbusd
