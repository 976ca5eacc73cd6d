// What a broker's sessions ask of the daemon, and the values that pass between them.
//
// The daemon's router implements session_host: it owns the sessions, knows the rights, hosts the
// entities and routes. It may call back into any session from inside these calls, except that it
// must not destroy the session it was called with before the call has returned.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <mbus/address.hpp>
#include <mbus/result.hpp>

#include "mbws/body.hpp"
#include "mbws/frame.hpp"
#include "mbws/symbols.hpp"
#include "mbws/time.hpp"

namespace mbus::mbws {

class broker_session;
class connection_port;
class link_carrier;
class link_session;
class message_preparer;

// A `connect`, checked. Views are valid during the call.
struct connect_request {
    std::uint64_t connection = 0;  // the daemon's name for the connection (its credentials)
    bool local = true;             // local binding; else WebSocket
    std::string_view name{};       // for humans
    std::string_view auth{};       // a secret
    std::string_view session{};    // a secret; empty: a new session
    std::uint64_t received = 0;
    std::uint32_t window = 0;  // the client's; binding's default filled in
    std::uint32_t expiry = 0;  // asked; binding's default filled in
    std::uint32_t size = frame_octets_default;
    bool durable = false;
    std::uint16_t addresses = 0;  // how many of the client's are remembered by number; 0: it does not ask
    bool link = false;          // mode: link
    std::string_view broker{};  // of the other end of a link
};

class session_journal;

struct opened_session {
    broker_session* session = nullptr;
    bool resumed = false;
    session_journal* journal = nullptr;  // of a new session that is to be durable
};

struct attach_request {
    std::uint32_t slot = 0;  // the session's name for the attach; delivery::slot
    std::uint32_t request = 0;
    attach_mode mode = attach_mode::entity;
    mbus::address entity{};  // as asked: a pattern when monitoring
    bool has_entity = true;  // false only for mode queue
    reader_policy policy = reader_policy::drop_oldest;
    std::string type{};      // media type wanted besides commands; empty: commands only
    std::string commands{};  // globs; empty: all
    std::string queue{};
};

// An attach that is in force.
struct attachment {
    attach_request asked{};
    mbus::address entity{};      // in full; what monitors matched for mode monitor
    std::uint64_t handle = 0;    // the host's own
    std::string entity_field{};  // `entity` in binary, for sessions with several
    std::size_t queued = 0;      // messages waiting for it
    bool active = false;
};

struct attached {
    mbus::address entity{};    // the full address, with its id
    std::uint64_t handle = 0;  // kept in attachment::handle
};

struct watch_request {
    std::uint32_t slot = 0;  // the session's name for the watch
    std::uint32_t request = 0;
    mbus::address pattern{};
    bool again = false;  // after a resume: tell all that are present once more
};

struct grant_request {
    std::uint32_t request = 0;
    const attachment* entity = nullptr;
    std::string_view commands{};
    std::uint32_t expiry = 0;  // 0: not given
    std::uint32_t uses = 0;    // 0: not given
};
struct granted {
    std::string url{};
    std::uint32_t expiry = 0;
    std::uint32_t uses = 0;
};

// A message of a client, checked as far as a session can. Views are valid during the call.
struct routed_message {
    std::uint64_t number = 0;  // names the message in receipt() and take_over(); 0: none wanted
    bool reliable = false;
    bool receipt_wanted = false;
    std::string_view to{};  // as written: key of the route cache; may be no address at all
    const attachment* from = nullptr;
    std::string_view type{};  // empty: commands
    std::string_view body{};
    body_summary commands{};       // of a command body
    std::uint64_t time = 0;        // 0: not given
    std::uint32_t ttl = 0;         // ms, 0: none
    time_point expires = never;    // by ttl
    bool sender_can_wait = false;  // reader_policy::block may hold its input: pass it to delivery
    const frame_view* frame = nullptr;
};

// How a routed message ended; what a receipt says. For refusals: code and text.
struct route_report {
    bool failed = false;
    errc code = errc::internal;  // when failed: no_match, not_unique, not_acknowledged, ...
    std::string text{};          // when failed or refused: what to do
    std::uint32_t matched = 0;
    std::string entity{};    // reliable: who took it
    std::uint8_t tried = 0;  // reliable: transmissions
    std::uint32_t took = 0;  // reliable: ms
    bool may_repeat = false;  // routed, and route_again() may be tried with one that repeats its header
};

enum class route_status : std::uint8_t {
    routed,           // over; `report` is the receipt, if one is wanted
    refused,          // delivered nowhere; `report` has code and text of the nak
    receipt_later,    // taken over; receipt(number, report) follows, exactly once
    take_over_later,  // not even taken over: take_over(number) follows, then receipt() if one is owed
};

enum class end_reason : std::uint8_t { closed, expired, lost, shut_down };

// What became of a job of a queue that a session had (docs/mbws.md, section 4).
enum class job_outcome : std::uint8_t {
    done,      // acknowledged
    refused,   // the client answered with a nak
    returned,  // the session has ended, and perhaps handled it
    unsent,    // the session has ended before it was sent
};

class session_host {
public:
    // Finds or makes the session of a connection. Check broker_session::identity() and
    // can_resume(request.received) before giving an old one, else make a new one (and end the one
    // that can't be resumed). The session outlives its `ended` call.
    virtual result<opened_session> open(time_point now, const connect_request& request) = 0;

    // `connect` with mode link (link_session.hpp): finds or makes the called side of a link, which
    // answers on `port`. The session outlives the carrier's use of it, or releases the carrier.
    virtual result<link_session*> open_link(time_point /*now*/, const connect_request& /*request*/,
                                            link_carrier& /*carrier*/, connection_port& /*port*/) {
        return error{errc::forbidden, "this broker takes no links"};
    }

    // Errors become the code and text of a nak. Rights are the host's affair: policy block, mode
    // monitor, the address.
    virtual result<attached> attach(time_point now, broker_session& session,
                                    const attach_request& request) = 0;
    virtual void detach(time_point now, broker_session& session, const attachment& what) = 0;

    // Calls session.entity_changed(slot, ..., present) for each match, then returns how many.
    virtual result<std::uint32_t> watch(time_point now, broker_session& session,
                                        const watch_request& request) = 0;
    virtual void unwatch(broker_session& session, const watch_request& what) = 0;

    virtual route_status route(time_point now, broker_session& session, const routed_message& what,
                               route_report& report) = 0;
    // A message of commands with all the fields of the one that route() was given last for this session, and routed.
    // False: it wants to be routed as any other; nothing was done with it.
    virtual bool route_again(broker_session& /*session*/, std::string_view /*body*/, const body_summary& /*commands*/) {
        return false;
    }
    // What route() took and has not handed on yet goes on its way: the session does something else now.
    virtual void hand_over() {}

    virtual result<granted> grant(time_point now, broker_session& session, const grant_request& request) = 0;
    virtual result<void> revoke(time_point now, broker_session& session, std::string_view url) = 0;

    // The queue of `session`, whose policy `block` made senders wait, has room again, or they have
    // waited long enough: release() them.
    virtual void room(broker_session& session) = 0;

    // A job that was offered with delivery::job is settled. The session takes no offers during the call.
    virtual void settle_job(time_point /*now*/, broker_session& /*session*/, const attachment& /*queue*/,
                            std::uint64_t /*job*/, job_outcome /*how*/) {}

    // Where receipts and naks come from that wait in a session; null: each is made anew.
    virtual message_preparer* preparer() noexcept { return nullptr; }

    // A session has freed what a burst needed; a good moment to give free memory back to the system.
    virtual void trimmed() {}

    // The session is over: withdraw its attachments() and watches; destroy it after this returned.
    virtual void ended(time_point now, broker_session& session, end_reason why) = 0;

protected:
    ~session_host() = default;
};

}  // namespace mbus::mbws
