#include "store/grant_rows.hpp"

#include <utility>

namespace mbusd {
namespace {

constexpr store_statement put{
    "INSERT OR REPLACE INTO grants(token_hash, session, request, entity, commands, expires, uses_left, created, last_used) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"};
// NULL - 1 is NULL: what is not counted stays so.
constexpr store_statement use{"UPDATE grants SET uses_left = max(uses_left - 1, 0), last_used = ?2 WHERE token_hash = ?1"};
constexpr store_statement drop{"DELETE FROM grants WHERE token_hash = ?1"};
constexpr store_statement drop_of_session{"DELETE FROM grants WHERE session = ?1"};
constexpr store_statement all{"SELECT token_hash, session, request, entity, commands, expires, uses_left, created, last_used FROM grants"};

}  // namespace

void put_grant(transaction& to, const stored_grant& grant) {
    store_value uses;
    if (grant.uses_left) uses = static_cast<std::int64_t>(*grant.uses_left);
    to.add(put, store_octets{grant.token_hash}, grant.session, std::uint64_t{grant.request}, grant.entity, grant.commands, grant.expires_ms,
           std::move(uses), grant.created_ms, grant.last_used_ms);
}

void use_grant(transaction& to, std::string_view token_hash, std::uint64_t now_ms) {
    to.add(use, store_octets{std::string{token_hash}}, now_ms);
}

void drop_grant(transaction& to, std::string_view token_hash) { to.add(drop, store_octets{std::string{token_hash}}); }

void drop_grants_of(transaction& to, std::uint64_t session) { to.add(drop_of_session, session); }

mbus::result<void> load_grants(store& from, const std::function<void(stored_grant&&)>& visit) {
    return from.load(all, [&](const store_row& row) {
        stored_grant one{.token_hash = std::string{row.octets(0)}, .session = row.number(1),
                         .request = static_cast<std::uint32_t>(row.number(2)), .entity = std::string{row.text(3)},
                         .commands = std::string{row.text(4)}, .expires_ms = row.number(5), .uses_left = {},
                         .created_ms = row.number(7), .last_used_ms = row.number(8)};
        if (!row.null(6)) one.uses_left = row.number(6);
        visit(std::move(one));
    });
}

}  // namespace mbusd
