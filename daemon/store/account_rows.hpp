// The tables `accounts`, `blocked` and `secrets`: the SCRAM keys of clients that log in with a password,
// their block lists, and what the daemon keeps to itself.
//
//     put_account(changes, "ann", keys);          // beside put_client()
//     load_accounts(kept, [&](std::string_view client, stored_login&& one) { ... });
//
// Thread-safety: plain values; the load functions like store::load().
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.hpp"

namespace mbusd {

// Keys of a password for one hash (RFC 5802, section 3): enough to check it, not enough to log in.
struct stored_login {
    std::string mechanism;  // "SCRAM-SHA-1", "SCRAM-SHA-256"
    std::uint32_t iterations = 0;
    std::string salt;
    std::string stored_key;
    std::string server_key;

    bool operator==(const stored_login&) const = default;
};

void put_account(transaction& to, std::string_view client, const std::vector<stored_login>& logins);
void drop_account(transaction& to, std::string_view client);  // with its block list
mbus::result<void> load_accounts(store& from, const std::function<void(std::string_view client, stored_login&& one)>& visit);

// Whom the account does not want to hear from (XEP-0191).
void put_blocked(transaction& to, std::string_view client, std::string_view jid);
void drop_blocked(transaction& to, std::string_view client, std::string_view jid);
mbus::result<void> load_blocked(store& from, const std::function<void(std::string_view client, std::string_view jid)>& visit);

void put_secret(transaction& to, std::string_view name, std::string_view octets);
mbus::result<void> load_secrets(store& from, const std::function<void(std::string_view name, std::string_view octets)>& visit);

}  // namespace mbusd
