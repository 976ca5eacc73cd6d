#include "store/schema.hpp"

#include <array>

namespace mbusd {
namespace {

// Times are milliseconds since 1970. Lists of texts are separated by line ends, which none of them holds.
constexpr const char* clients_and_grants = R"(
    CREATE TABLE clients(
        name TEXT PRIMARY KEY NOT NULL,
        token_hash BLOB NOT NULL UNIQUE,
        attach TEXT NOT NULL,
        send TEXT NOT NULL,
        may TEXT NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE grants(
        token_hash BLOB PRIMARY KEY NOT NULL,
        session INTEGER NOT NULL,
        request INTEGER NOT NULL,
        entity TEXT NOT NULL,
        commands TEXT NOT NULL,
        expires INTEGER NOT NULL,
        uses_left INTEGER,
        created INTEGER NOT NULL,
        last_used INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX grants_by_session ON grants(session);
)";

// An entry is a frame that waits for its client. `owed` are messages taken over whose outcome is to come.
constexpr const char* sessions_and_queues = R"(
    CREATE TABLE sessions(
        id INTEGER PRIMARY KEY NOT NULL,
        token_hash BLOB NOT NULL,
        uid INTEGER NOT NULL,
        user TEXT NOT NULL,
        client TEXT NOT NULL,
        name TEXT NOT NULL,
        window INTEGER NOT NULL,
        size INTEGER NOT NULL,
        expiry INTEGER NOT NULL,
        received INTEGER NOT NULL,
        acknowledged INTEGER NOT NULL,
        lost INTEGER NOT NULL
    );
    CREATE TABLE attaches(
        session INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        request INTEGER NOT NULL,
        mode INTEGER NOT NULL,
        asked TEXT NOT NULL,
        has_entity INTEGER NOT NULL,
        policy INTEGER NOT NULL,
        type TEXT NOT NULL,
        commands TEXT NOT NULL,
        queue TEXT NOT NULL,
        entity TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        active INTEGER NOT NULL,
        PRIMARY KEY(session, slot)
    ) WITHOUT ROWID;
    CREATE TABLE watches(
        session INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        request INTEGER NOT NULL,
        pattern TEXT NOT NULL,
        PRIMARY KEY(session, slot)
    ) WITHOUT ROWID;
    CREATE TABLE entries(
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        verb INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        flags INTEGER NOT NULL,
        about INTEGER NOT NULL,
        job INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        fields BLOB NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY(session, number)
    ) WITHOUT ROWID;
    CREATE TABLE owed(
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        receipt INTEGER NOT NULL,
        PRIMARY KEY(session, number)
    ) WITHOUT ROWID;
    CREATE TABLE queues(
        name TEXT PRIMARY KEY NOT NULL,
        asked TEXT NOT NULL,
        entity TEXT NOT NULL,
        sequence INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE jobs(
        id INTEGER PRIMARY KEY NOT NULL,
        queue TEXT NOT NULL,
        tries INTEGER NOT NULL,
        added INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        dest TEXT NOT NULL,
        source TEXT NOT NULL,
        type TEXT NOT NULL,
        first_command TEXT NOT NULL,
        time INTEGER NOT NULL,
        reliable INTEGER NOT NULL,
        body BLOB NOT NULL
    );
)";

// Publish-subscribe (pubsub/service.hpp). `config` are lines NAME=VALUE, `position` is item::order.
constexpr const char* feeds = R"(
    CREATE TABLE feed_nodes(
        node TEXT PRIMARY KEY NOT NULL,
        config TEXT NOT NULL,
        created INTEGER NOT NULL,
        creator TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE feed_items(
        node TEXT NOT NULL,
        id TEXT NOT NULL,
        payload TEXT NOT NULL,
        publisher TEXT NOT NULL,
        position INTEGER NOT NULL,
        edited INTEGER NOT NULL,
        PRIMARY KEY(node, id)
    ) WITHOUT ROWID;
    CREATE TABLE feed_subscriptions(
        node TEXT NOT NULL,
        jid TEXT NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY(node, jid)
    ) WITHOUT ROWID;
    CREATE TABLE feed_affiliations(
        node TEXT NOT NULL,
        jid TEXT NOT NULL,
        affiliation TEXT NOT NULL,
        PRIMARY KEY(node, jid)
    ) WITHOUT ROWID;
)";

// SCRAM keys of clients that log in with a password (RFC 5802), one row for each hash.
constexpr const char* accounts = R"(
    CREATE TABLE accounts(
        client TEXT NOT NULL,
        mechanism TEXT NOT NULL,
        iterations INTEGER NOT NULL,
        salt BLOB NOT NULL,
        stored_key BLOB NOT NULL,
        server_key BLOB NOT NULL,
        PRIMARY KEY(client, mechanism)
    ) WITHOUT ROWID;
    CREATE TABLE secrets(
        name TEXT PRIMARY KEY NOT NULL,
        octets BLOB NOT NULL
    ) WITHOUT ROWID;
)";

// Block lists of accounts (XEP-0191).
constexpr const char* block_lists = R"(
    CREATE TABLE blocked(
        client TEXT NOT NULL,
        jid TEXT NOT NULL,
        PRIMARY KEY(client, jid)
    ) WITHOUT ROWID;
)";

// What a subscriber asked for (XEP-0060, section 6.3), as lines NAME=VALUE.
constexpr const char* subscription_options = R"(
    ALTER TABLE feed_subscriptions ADD COLUMN options TEXT NOT NULL DEFAULT '';
)";

constexpr std::array<const char*, 6> steps{clients_and_grants, sessions_and_queues, feeds, accounts, block_lists, subscription_options};

}  // namespace

std::span<const char* const> schema_steps() noexcept { return steps; }

}  // namespace mbusd
