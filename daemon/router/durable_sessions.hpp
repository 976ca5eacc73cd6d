// What is stored of sessions that outlive the daemon (session_journal), and their way back at the start.
//
//     durable_sessions kept{router, changes, blocks};
//     return opened_session{session, false, &kept};       // a session that is to be durable
//     kept.ended(session);                                // nothing of it is kept
//     for (auto& each : read_durable(store)) ...          // router::restore()
//
// One thread. The router, the journal and the blocks outlive it.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "mbws/broker_session.hpp"
#include "mbws/session_journal.hpp"
#include "router/journal.hpp"
#include "router/sequence_blocks.hpp"
#include "router/session_table.hpp"
#include "store/session_rows.hpp"

namespace mbusd {

class router;

// A session as the store has it.
struct kept_session {
    session_row row;
    std::vector<attach_row> attaches{};
    std::vector<watch_row> watches{};
    std::vector<entry_row> entries{};
    std::vector<std::uint64_t> receipts_owed{};
    std::size_t not_routed = 0;  // taken over, and perhaps not routed
};
mbus::result<std::vector<kept_session>> read_durable(store& from);

class durable_sessions final : public mbus::mbws::session_journal {
public:
    durable_sessions(router& hub, journal& changes, sequence_blocks& blocks) : hub_(hub), changes_(changes), blocks_(blocks) {}
    durable_sessions(const durable_sessions&) = delete;
    durable_sessions& operator=(const durable_sessions&) = delete;

    void ended(const mbus::mbws::broker_session& session);
    // A session is restored; `acknowledged` by its client.
    void adopt(std::uint64_t id, std::uint64_t acknowledged) { acknowledged_[id] = acknowledged; }
    // The entity of an attach is on the bus: its SeqNums are reserved. What to store.
    std::uint32_t reserve(std::uint64_t session, std::uint32_t slot, std::uint64_t handle, std::uint32_t first);
    // Message `number` waits to be routed further (receipt: its sender waits for the outcome); it was.
    void owe(std::uint64_t session, std::uint64_t number, bool receipt) { put_owed(changes_.now(), session, number, receipt); }
    void routed(std::uint64_t session, std::uint64_t number) { drop_owed(changes_.now(), session, number); }

    // session_journal
    void opened(mbus::mbws::broker_session& session) override;
    void disconnected(mbus::mbws::broker_session& session) override;
    void attached(mbus::mbws::broker_session& session, const mbus::mbws::attachment& what) override;
    void detached(mbus::mbws::broker_session& session, const mbus::mbws::attachment& what) override;
    void watched(mbus::mbws::broker_session& session, const mbus::mbws::watch_request& what) override;
    void unwatched(mbus::mbws::broker_session& session, const mbus::mbws::watch_request& what) override;
    void received(mbus::mbws::broker_session& session, std::uint64_t number, bool done) override;
    void settled(mbus::mbws::broker_session& session, std::uint64_t about) override;
    void queued(mbus::mbws::broker_session& session, const mbus::mbws::outbox_entry& entry) override;
    void acknowledged(mbus::mbws::broker_session& session, std::uint64_t number) override;
    void confirm(mbus::mbws::broker_session& session, std::uint64_t position) override;

private:
    router& hub_;
    journal& changes_;
    sequence_blocks& blocks_;
    std::unordered_map<std::uint64_t, std::uint64_t> acknowledged_;  // by session
};

}  // namespace mbusd
