// The keys of [pubsub] and [atom].
#include <array>

#include "config/key_parts.hpp"

namespace mbusd {
namespace {

constexpr std::uint64_t a_million = 1'000'000;
// A stanza of 10000 octets must pass (RFC 6120, section 13.12); 16 MiB is more than any entry has.
constexpr std::uint64_t payload_least = 10'000;
constexpr std::uint64_t payload_most = 16 * 1024 * 1024;
constexpr std::uint64_t octets_least = 1024 * 1024;
constexpr std::uint64_t octets_most = 64ULL * 1024 * 1024 * 1024;
// Entries are written into memory page by page.
constexpr std::uint64_t page_most = 1000;
constexpr std::array<std::string_view, 3> runs{"gateway", "always", "never"};

std::vector<key_info> pubsub_part() {
    return {
        {.name = "pubsub.run",
         .slot = +[](settings& s) -> std::string& { return s.pubsub.run; },
         .range = "gateway, always or never",
         .help = "When this daemon offers publish-subscribe, as (service:pubsub module:mbusd) on the bus: together with the gateway, "
                 "or without one too, or not at all. See docs/feeds.md.",
         .choices = runs},
        {.name = "pubsub.nodes",
         .slot = +[](settings& s) -> std::uint64_t& { return s.pubsub.nodes; },
         .range = "1 to 1000000",
         .help = "Nodes (feeds) of all accounts together.",
         .least = 1,
         .most = a_million},
        {.name = "pubsub.nodes_per_account",
         .slot = +[](settings& s) -> std::uint64_t& { return s.pubsub.nodes_per_account; },
         .range = "0 to 1000000",
         .help = "Nodes that one account may make.",
         .least = 0,
         .most = a_million},
        {.name = "pubsub.subscriptions_per_account",
         .slot = +[](settings& s) -> std::uint64_t& { return s.pubsub.subscriptions_per_account; },
         .range = "0 to 1000000",
         .help = "Subscriptions of one account, to all nodes together.",
         .least = 0,
         .most = a_million},
        {.name = "pubsub.subscriptions_per_node",
         .slot = +[](settings& s) -> std::uint64_t& { return s.pubsub.subscriptions_per_node; },
         .range = "0 to 1000000",
         .help = "Subscriptions of one node.",
         .least = 0,
         .most = a_million},
        {.name = "pubsub.payload_octets",
         .slot = +[](settings& s) -> std::uint64_t& { return s.pubsub.payload_octets; },
         .range = "10000 to 16777216",
         .help = "The largest entry or other payload that can be published; over HTTP a larger one is answered with 413.",
         .least = payload_least,
         .most = payload_most},
        {.name = "pubsub.octets",
         .slot = +[](settings& s) -> std::uint64_t& { return s.pubsub.octets; },
         .range = "1048576 to 68719476736",
         .help = "Octets of all payloads that are kept. They are kept in memory and in the store.",
         .least = octets_least,
         .most = octets_most},
    };
}

std::vector<key_info> atom_part() {
    return {
        {.name = "atom.enabled",
         .slot = +[](settings& s) -> bool& { return s.atom.enabled; },
         .range = "true or false",
         .help = "Answers at /atom/: every node of publish-subscribe is a feed that programs read and write over HTTP. Needs "
                 "gateway.enabled."},
        {.name = "atom.anonymous_read",
         .slot = +[](settings& s) -> bool& { return s.atom.anonymous_read; },
         .range = "true or false",
         .help = "Open nodes can be read over HTTP without token or password. Writing always needs one.",
         .reloadable = true},
        {.name = "atom.auto_create",
         .slot = +[](settings& s) -> bool& { return s.atom.auto_create; },
         .range = "true or false",
         .help = "A POST to a node that does not exist makes it, and whoever sent it is its owner. Otherwise it is answered with 404.",
         .reloadable = true},
        {.name = "atom.page_entries",
         .slot = +[](settings& s) -> std::uint64_t& { return s.atom.page_entries; },
         .range = "1 to 1000",
         .help = "Entries of one page of a feed; the next ones are behind its link 'next'.",
         .reloadable = true,
         .least = 1,
         .most = page_most},
    };
}

}  // namespace

std::vector<key_info> feed_keys() {
    auto all = pubsub_part();
    const auto more = atom_part();
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

}  // namespace mbusd
