#include "store/account_rows.hpp"

#include <utility>

namespace mbusd {
namespace {

constexpr store_statement put{
    "INSERT OR REPLACE INTO accounts(client, mechanism, iterations, salt, stored_key, server_key) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"};
constexpr store_statement drop{"DELETE FROM accounts WHERE client = ?1"};
constexpr store_statement all{"SELECT client, mechanism, iterations, salt, stored_key, server_key FROM accounts"};
constexpr store_statement block{"INSERT OR REPLACE INTO blocked(client, jid) VALUES(?1, ?2)"};
constexpr store_statement unblock{"DELETE FROM blocked WHERE client = ?1 AND jid = ?2"};
constexpr store_statement unblock_all{"DELETE FROM blocked WHERE client = ?1"};
constexpr store_statement all_blocked{"SELECT client, jid FROM blocked"};
constexpr store_statement keep_secret{"INSERT OR REPLACE INTO secrets(name, octets) VALUES(?1, ?2)"};
constexpr store_statement all_secrets{"SELECT name, octets FROM secrets"};

}  // namespace

void put_account(transaction& to, std::string_view client, const std::vector<stored_login>& logins) {
    for (const auto& each : logins) {
        to.add(put, client, each.mechanism, each.iterations, store_octets{each.salt}, store_octets{each.stored_key}, store_octets{each.server_key});
    }
}

void drop_account(transaction& to, std::string_view client) {
    to.add(drop, client);
    to.add(unblock_all, client);
}

mbus::result<void> load_accounts(store& from, const std::function<void(std::string_view client, stored_login&& one)>& visit) {
    return from.load(all, [&](const store_row& row) {
        visit(row.text(0), {.mechanism = std::string{row.text(1)},
                            .iterations = static_cast<std::uint32_t>(row.number(2)),
                            .salt = std::string{row.octets(3)},
                            .stored_key = std::string{row.octets(4)},
                            .server_key = std::string{row.octets(5)}});
    });
}

void put_blocked(transaction& to, std::string_view client, std::string_view jid) { to.add(block, client, jid); }
void drop_blocked(transaction& to, std::string_view client, std::string_view jid) { to.add(unblock, client, jid); }

mbus::result<void> load_blocked(store& from, const std::function<void(std::string_view client, std::string_view jid)>& visit) {
    return from.load(all_blocked, [&](const store_row& row) { visit(row.text(0), row.text(1)); });
}

void put_secret(transaction& to, std::string_view name, std::string_view octets) {
    to.add(keep_secret, name, store_octets{std::string{octets}});
}

mbus::result<void> load_secrets(store& from, const std::function<void(std::string_view name, std::string_view octets)>& visit) {
    return from.load(all_secrets, [&](const store_row& row) { visit(row.text(0), row.octets(1)); });
}

}  // namespace mbusd
