// What a durable session has to have stored, and when (docs/mbws.md, section 3 "Durable sessions").
//
// A broker_session tells its journal each change right when it happens; the journal gathers what belongs
// to one message or request into one step and writes it. What must not leave before it is written waits
// in the session for confirmed(), stored() and take_over(), which the journal calls afterwards, never
// from inside these functions, and in the order of the changes.
// Not thread-safe. The journal outlives its sessions.
#pragma once

#include <cstdint>

#include "mbws/outbox.hpp"
#include "mbws/session_host.hpp"

namespace mbus::mbws {

class broker_session;

class session_journal {
public:
    // A connection has opened or resumed it: name, window, expiry and size may be new.
    virtual void opened(broker_session& session) = 0;
    // Its connection has gone: its expiry runs.
    virtual void disconnected(broker_session& session) = 0;

    virtual void attached(broker_session& session, const attachment& what) = 0;
    virtual void detached(broker_session& session, const attachment& what) = 0;
    virtual void watched(broker_session& session, const watch_request& what) = 0;
    virtual void unwatched(broker_session& session, const watch_request& what) = 0;

    // The numbered frame `number` of the client was processed. `done`: take_over(number) follows when
    // that is written; else whoever routes the message sees to it.
    virtual void received(broker_session& session, std::uint64_t number, bool done) = 0;
    // The receipt that was owed for message `about` is in the outbox.
    virtual void settled(broker_session& session, std::uint64_t about) = 0;

    // The entry has its number; stored(number) follows, and only then it is sent. Also for an entry
    // that has changed.
    virtual void queued(broker_session& session, const outbox_entry& entry) = 0;
    // The client has everything up to `number`.
    virtual void acknowledged(broker_session& session, std::uint64_t number) = 0;

    // confirmed(position) follows when all of the above is written.
    virtual void confirm(broker_session& session, std::uint64_t position) = 0;

protected:
    ~session_journal() = default;
};

}  // namespace mbus::mbws
