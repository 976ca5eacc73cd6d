// The tables of publish-subscribe: nodes with all that is in them.
//
//     transaction changes;
//     put_feed_node(changes, {.node = "news", .config = lines, .created_ms = now, .creator = "ann@bus.example"});
//     load_feed_nodes(kept, [&](stored_feed_node&& one) { ... });    // before the others
//
// Thread-safety: plain values; the load functions like store::load().
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "store/store.hpp"

namespace mbusd {

struct stored_feed_node {
    std::string node;
    std::string config;  // lines NAME=VALUE
    std::uint64_t created_ms = 0;
    std::string creator;
    bool operator==(const stored_feed_node&) const = default;
};

struct stored_feed_item {
    std::string node;
    std::string id;
    std::string payload;  // XML
    std::string publisher;
    std::uint64_t position = 0;
    std::uint64_t edited_ms = 0;
    bool operator==(const stored_feed_item&) const = default;
};

// A subscription or an affiliation: who, and the word for it.
struct stored_feed_person {
    std::string node{};
    std::string jid{};
    std::string what{};
    std::string options{};  // of a subscription: lines NAME=VALUE
    bool operator==(const stored_feed_person&) const = default;
};

void put_feed_node(transaction& to, const stored_feed_node& what);
void drop_feed_node(transaction& to, std::string_view node);  // with all that is in it
void put_feed_item(transaction& to, stored_feed_item what);
void drop_feed_item(transaction& to, std::string_view node, std::string_view id);
void drop_feed_items(transaction& to, std::string_view node);
void put_feed_subscription(transaction& to, const stored_feed_person& what);
void drop_feed_subscription(transaction& to, std::string_view node, std::string_view jid);
void put_feed_affiliation(transaction& to, const stored_feed_person& what);
void drop_feed_affiliation(transaction& to, std::string_view node, std::string_view jid);

mbus::result<void> load_feed_nodes(store& from, const std::function<void(stored_feed_node&&)>& visit);
mbus::result<void> load_feed_items(store& from, const std::function<void(stored_feed_item&&)>& visit);
mbus::result<void> load_feed_subscriptions(store& from, const std::function<void(stored_feed_person&&)>& visit);
mbus::result<void> load_feed_affiliations(store& from, const std::function<void(stored_feed_person&&)>& visit);

}  // namespace mbusd
