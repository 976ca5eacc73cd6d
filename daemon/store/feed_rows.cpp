#include "store/feed_rows.hpp"

#include <utility>

namespace mbusd {
namespace {

constexpr store_statement put_node{"INSERT OR REPLACE INTO feed_nodes(node, config, created, creator) VALUES(?1, ?2, ?3, ?4)"};
constexpr store_statement drop_node{"DELETE FROM feed_nodes WHERE node = ?1"};
constexpr store_statement drop_subscriptions_of{"DELETE FROM feed_subscriptions WHERE node = ?1"};
constexpr store_statement drop_affiliations_of{"DELETE FROM feed_affiliations WHERE node = ?1"};
constexpr store_statement put_item{
    "INSERT OR REPLACE INTO feed_items(node, id, payload, publisher, position, edited) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"};
constexpr store_statement drop_item{"DELETE FROM feed_items WHERE node = ?1 AND id = ?2"};
constexpr store_statement drop_items_of{"DELETE FROM feed_items WHERE node = ?1"};
constexpr store_statement put_subscription{"INSERT OR REPLACE INTO feed_subscriptions(node, jid, state, options) VALUES(?1, ?2, ?3, ?4)"};
constexpr store_statement drop_subscription{"DELETE FROM feed_subscriptions WHERE node = ?1 AND jid = ?2"};
constexpr store_statement put_affiliation{"INSERT OR REPLACE INTO feed_affiliations(node, jid, affiliation) VALUES(?1, ?2, ?3)"};
constexpr store_statement drop_affiliation{"DELETE FROM feed_affiliations WHERE node = ?1 AND jid = ?2"};

constexpr store_statement all_nodes{"SELECT node, config, created, creator FROM feed_nodes"};
constexpr store_statement all_items{"SELECT node, id, payload, publisher, position, edited FROM feed_items"};
constexpr store_statement all_subscriptions{"SELECT node, jid, state, options FROM feed_subscriptions"};
constexpr store_statement all_affiliations{"SELECT node, jid, affiliation, '' FROM feed_affiliations"};

mbus::result<void> load_people(store& from, const store_statement& which, const std::function<void(stored_feed_person&&)>& visit) {
    return from.load(which, [&](const store_row& row) {
        visit({std::string{row.text(0)}, std::string{row.text(1)}, std::string{row.text(2)}, std::string{row.text(3)}});
    });
}

}  // namespace

void put_feed_node(transaction& to, const stored_feed_node& what) {
    to.add(put_node, what.node, what.config, what.created_ms, what.creator);
}

void drop_feed_node(transaction& to, std::string_view node) {
    to.add(drop_items_of, node);
    to.add(drop_subscriptions_of, node);
    to.add(drop_affiliations_of, node);
    to.add(drop_node, node);
}

void put_feed_item(transaction& to, stored_feed_item what) {
    to.add(put_item, std::move(what.node), std::move(what.id), std::move(what.payload), std::move(what.publisher), what.position,
           what.edited_ms);
}

void drop_feed_item(transaction& to, std::string_view node, std::string_view id) { to.add(drop_item, node, id); }
void drop_feed_items(transaction& to, std::string_view node) { to.add(drop_items_of, node); }
void put_feed_subscription(transaction& to, const stored_feed_person& what) {
    to.add(put_subscription, what.node, what.jid, what.what, what.options);
}
void drop_feed_subscription(transaction& to, std::string_view node, std::string_view jid) { to.add(drop_subscription, node, jid); }
void put_feed_affiliation(transaction& to, const stored_feed_person& what) { to.add(put_affiliation, what.node, what.jid, what.what); }
void drop_feed_affiliation(transaction& to, std::string_view node, std::string_view jid) { to.add(drop_affiliation, node, jid); }

mbus::result<void> load_feed_nodes(store& from, const std::function<void(stored_feed_node&&)>& visit) {
    return from.load(all_nodes, [&](const store_row& row) {
        visit({std::string{row.text(0)}, std::string{row.text(1)}, row.number(2), std::string{row.text(3)}});
    });
}

mbus::result<void> load_feed_items(store& from, const std::function<void(stored_feed_item&&)>& visit) {
    return from.load(all_items, [&](const store_row& row) {
        visit({std::string{row.text(0)}, std::string{row.text(1)}, std::string{row.text(2)}, std::string{row.text(3)}, row.number(4),
               row.number(5)});
    });
}

mbus::result<void> load_feed_subscriptions(store& from, const std::function<void(stored_feed_person&&)>& visit) {
    return load_people(from, all_subscriptions, visit);
}

mbus::result<void> load_feed_affiliations(store& from, const std::function<void(stored_feed_person&&)>& visit) {
    return load_people(from, all_affiliations, visit);
}

}  // namespace mbusd
