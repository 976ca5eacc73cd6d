// The tables of durable sessions: who they are, their attaches and watches, what waits for their clients,
// and which of their messages have an outcome to come (docs/mbws.md, section 3).
//
//     transaction changes;
//     put_session(changes, session);
//     put_entry(changes, session.id, entry, expires_ms);
//     load_sessions(kept, [&](session_row&& one) { ... });
//
// Thread-safety: plain values; load_...() like store::load().
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "mbws/outbox.hpp"
#include "mbws/session_host.hpp"
#include "store/store.hpp"

namespace mbusd {

struct session_row {
    std::uint64_t id = 0;
    std::string token_hash;  // BLAKE2b-256: the token itself is with the client alone
    std::uint32_t uid = 0;
    std::string user;
    std::string client;  // name of its token
    std::string name;    // of the program
    std::uint32_t window = 0;
    std::uint32_t size = 0;
    std::uint32_t expiry = 0;         // s
    std::uint64_t received = 0;       // of the client, the highest number
    std::uint64_t acknowledged = 0;   // by the client
    std::uint64_t lost_ms = 0;        // since 1970: its connection was lost; 0: it was connected

    bool operator==(const session_row&) const = default;
};

struct attach_row {
    std::uint64_t session = 0;
    mbus::mbws::attach_request asked;
    mbus::address entity;             // in full
    std::uint32_t sequence = 0;       // first SeqNum that the entity did not use for sure
    bool active = true;               // false: detached, and perhaps something waits for it
};

struct watch_row {
    std::uint64_t session = 0;
    mbus::mbws::watch_request asked;
};

struct entry_row {
    std::uint64_t session = 0;
    mbus::mbws::outbox_entry entry;   // without `expires`, whose clock ends with the daemon
    std::uint64_t expires_ms = 0;     // since 1970; 0: never
};

void put_session(transaction& to, const session_row& session);
void drop_session(transaction& to, std::uint64_t id);  // with all that it has
void put_session_lost(transaction& to, std::uint64_t id, std::uint64_t lost_ms);
void put_received(transaction& to, std::uint64_t session, std::uint64_t number);
// The client has the entries up to `number`: they go.
void put_acknowledged(transaction& to, std::uint64_t session, std::uint64_t number);

void put_attach(transaction& to, const attach_row& attach);
void end_attach(transaction& to, std::uint64_t session, std::uint32_t slot);
void put_attach_sequence(transaction& to, std::uint64_t session, std::uint32_t slot, std::uint32_t sequence);
void put_watch(transaction& to, std::uint64_t session, const mbus::mbws::watch_request& asked);
void drop_watch(transaction& to, std::uint64_t session, std::uint32_t slot);

void put_entry(transaction& to, std::uint64_t session, const mbus::mbws::outbox_entry& entry, std::uint64_t expires_ms);
// A message that was taken over and is not routed, or whose receipt is not in the outbox.
void put_owed(transaction& to, std::uint64_t session, std::uint64_t number, bool receipt);
void drop_owed(transaction& to, std::uint64_t session, std::uint64_t number);

mbus::result<void> load_sessions(store& from, const std::function<void(session_row&&)>& visit);
mbus::result<void> load_attaches(store& from, const std::function<void(attach_row&&)>& visit);
mbus::result<void> load_watches(store& from, const std::function<void(watch_row&&)>& visit);
// By session and number.
mbus::result<void> load_entries(store& from, const std::function<void(entry_row&&)>& visit);
mbus::result<void> load_owed(store& from, const std::function<void(std::uint64_t session, std::uint64_t number, bool receipt)>& visit);

}  // namespace mbusd
