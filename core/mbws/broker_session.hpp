// The broker's side of one MBWS session (docs/mbws.md, sections 3 to 5). Sans-I/O: it is told the
// time and given frames, asks its session_host for everything that is not protocol, and writes to a
// connection_port.
//
//     // in session_host::open():
//     auto session = std::make_unique<broker_session>(id, token, identity, settings, host);
//     // the router, for each receiver of a message:
//     switch (session->offer(now, ready, {.slot = attach.slot, .expires = expires})) ...
//     // the connection, at the end of a turn:
//     session->fill(now);
//     // whoever owns the timers:
//     session->advance(now);  ...  session->next_deadline();
//
// A session survives its connections when it has a window and an expiry. With window 0 (the local
// default) nothing is numbered or kept: a message goes straight into the connection's output.
// Not thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mbws/connection_port.hpp"
#include "mbws/frame.hpp"
#include "mbws/outbox.hpp"
#include "mbws/prepared_message.hpp"
#include "mbws/session_host.hpp"
#include "mbws/session_journal.hpp"
#include "mbws/time.hpp"
#include "message/ring.hpp"

namespace mbus::mbws {

class broker_connection;

// A session at its limit of waiting receipts is not read any more (docs/mbws.md, section 4).
inline constexpr std::size_t receipts_waiting_max = 65536;
// Octets in a connection's output at which a session keeps the rest in its own queue, where the
// slow-reader policies reach it: some turns of a fast reader, little memory for a slow one.
inline constexpr std::size_t output_octets_high = 256 * 1024;
// Answers to requests beyond that (a client that asks and does not read) stop its input.
inline constexpr std::size_t answer_octets_max = 256 * 1024;
// Octets that a delivery may get beyond the prepared message and its entity field: `missed` and `mode`.
inline constexpr std::size_t extra_field_octets = 3 + 8 + 3 + 7;
inline constexpr std::chrono::milliseconds acknowledge_delay{20};
inline constexpr std::chrono::seconds block_patience{5};    // policy block
// Policy block: senders wait already when so many messages are unsent. That keeps all readers fed, and
// longer queues cost cache misses and the memory of their user, no more.
inline constexpr std::size_t block_unsent_max = 2048;
inline constexpr std::chrono::seconds trim_after{5};        // an empty queue keeps its memory so long
inline constexpr std::chrono::seconds connect_patience{5};  // connection without `connect`
inline constexpr std::chrono::seconds websocket_ping_after{25};
inline constexpr std::chrono::seconds websocket_silence_max{60};

// What the configuration says about sessions.
struct session_settings {
    std::uint32_t window = 256;        // the broker's own; 0 follows when the client asks 0
    std::uint32_t expiry_max = 86400;  // s
    std::uint32_t frame_octets_max = frame_octets_default;  // the broker's `size`
    std::size_t queue_octets_max = 8 * 1024 * 1024;
    std::size_t queue_messages_max = 65536;
    std::size_t attaches_max = 256;  // entities, monitors and queues of one session
    std::size_t watches_max = 64;
    std::string broker;  // id of this broker, 16 hexadecimal digits
};

// Since the session was opened.
struct session_counters {
    std::uint64_t received = 0;    // messages of the client, refused ones included
    std::uint64_t refused = 0;     // of these: by nak, or silently counted when nobody asked for one
    std::uint64_t duplicates = 0;  // numbered frames that came again after a resume
    std::uint64_t client_naks = 0;
    std::uint64_t delivered = 0;  // messages put into a connection's output (again: not counted)
    std::uint64_t redelivered = 0;
    std::uint64_t resumes = 0;
    std::uint64_t undeliverable = 0;  // reliable messages that the full queue refused
    std::array<std::uint64_t, session_drops> dropped{};

    [[nodiscard]] std::uint64_t dropped_total() const noexcept {
        std::uint64_t sum = 0;
        for (const auto n : dropped) sum += n;
        return sum;
    }
};

// How a message is for this session.
struct delivery {
    std::uint32_t slot = 0;  // attach_request::slot
    bool monitor = false;    // a copy for mode monitor
    time_point expires = never;
    bool sender_can_wait = false;  // routed_message::sender_can_wait
    std::uint64_t job = 0;         // a job of a queue: never dropped, its end is told by settle_job()
    bool redelivered = false;      // somebody may have had it before
};

enum class offer_result : std::uint8_t {
    taken,      // written or queued
    wait,       // taken; hold() the sender until room()
    dropped,    // by policy: counted here, told as `missed`
    refused,    // reliable and no room: receipt `overflow`, or no acknowledgement on the bus
    too_large,  // larger than this client takes; reliable: receipt `too-large`
};

// What was stored of a durable session.
struct stored_session {
    std::string name;
    std::uint32_t window = 0;
    std::uint32_t size = frame_octets_default;
    std::uint32_t expiry = 0;
    std::uint64_t received = 0;     // of the client
    std::uint64_t last_number = 0;  // given to an entry
    std::vector<attachment> attaches{};  // with the handles that they have now
    std::vector<watch_request> watches{};
    std::vector<outbox_entry> entries{};  // by number
    std::size_t receipts_owed = 0;      // receipt() follows for each
};

// Answers that wait for the store, at most; beyond that the client is not read.
inline constexpr std::size_t held_answers_max = 1024;

// What to do with the connection after a frame.
enum class verdict : std::uint8_t { go_on, closing };

class broker_session {
public:
    // `token`: 32 to 64 URL-safe random characters; `identity`: who opened it (user or token name).
    broker_session(std::uint64_t id, std::string token, std::string identity,
                   const session_settings& settings, session_host& host);
    ~broker_session();
    broker_session(const broker_session&) = delete;
    broker_session& operator=(const broker_session&) = delete;

    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
    [[nodiscard]] const std::string& token() const noexcept { return token_; }
    [[nodiscard]] const std::string& identity() const noexcept { return identity_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    // --- what the router calls ------------------------------------------------------------

    // A message for one attach of this session. Allocates nothing when the reader keeps up.
    offer_result offer(time_point now, const message_ref& what, const delivery& how);

    // A run of messages for one attach of this session, if can_take() says so: else they are offered one by one.
    [[nodiscard]] bool takes_runs(std::uint32_t slot) const noexcept;
    [[nodiscard]] bool can_take(const message_run& run, std::uint32_t slot) const noexcept;
    // taken or wait.
    offer_result offer_run(time_point now, const message_run& run, const delivery& how);

    // The host has dropped an unreliable message for this session by a limit of its own instead of
    // offering it: counted here, told as `missed`.
    void dropped_by_host() noexcept { count_drop(session_drop::limit); }

    // An entity of a watch changed. `slot` is watch_request::slot.
    void entity_changed(std::uint32_t slot, std::string_view address, entity_state state);

    // The outcome of a message that route() left open. Not from inside route().
    void receipt(std::uint64_t number, const route_report& report);
    void take_over(time_point now, std::uint64_t number);

    // Gives memory back that a burst needed. Happens by itself trim_after a large queue has emptied.
    void trim() noexcept;

    // Stops taking input until release() was called as often (policy block).
    void hold() noexcept { ++holds_; }
    void release();

    // Ends the session from the broker's side: `error` with the code, the connection closes, the
    // session is over (`ended` is called). For shutdown (shutting_down) and administrators.
    void end(time_point now, errc code, std::string_view text);
    // A fault of the connection: `error`, the connection closes, the session stays resumable.
    void fault(time_point now, errc code, std::string_view text);

    // For a stop of the daemon that this durable session outlives: `error`, the connection closes, and
    // nothing more is done with the session.
    void suspend(errc code, std::string_view text);

    // True when the peer's `received` can be continued from: nothing above it is lost.
    [[nodiscard]] bool can_resume(std::uint64_t received) const noexcept;

    // --- durable sessions -----------------------------------------------------------------

    [[nodiscard]] bool durable() const noexcept { return journal_ != nullptr; }
    // Right after construction: what was stored, with `expires` as the end of its expiry.
    void restore(stored_session from, time_point expires, session_journal& journal);
    // Written are: the entries up to `number`; what came before confirm(position).
    void stored(std::uint64_t number);
    void confirmed(std::uint64_t position);
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
    [[nodiscard]] std::uint64_t last_number() const noexcept { return last_number_; }
    [[nodiscard]] std::uint32_t size() const noexcept { return peer_size_; }

    // --- what the connection calls (through broker_connection) ------------------------------

    verdict handle(time_point now, const frame_view& frame);

    // Moves what waits into the port: to the window, until output_octets_high. At the end of a turn in
    // which wake() was called, and after each write that made room in the port.
    void fill(time_point now);

    // False: stop reading until read_again(): 65 536 receipts wait, a receiver with policy block is
    // full, or the client sends requests and does not read the answers.
    [[nodiscard]] bool wants_input() noexcept;

    // --- time -----------------------------------------------------------------------------

    void advance(time_point now);
    // Changes with every call of anything above; ask at the end of a turn.
    [[nodiscard]] time_point next_deadline() const noexcept;

    // --- what is seen ---------------------------------------------------------------------

    [[nodiscard]] bool connected() const noexcept { return port_ != nullptr; }
    [[nodiscard]] bool over() const noexcept { return over_; }
    [[nodiscard]] std::uint32_t window() const noexcept { return peer_window_; }
    [[nodiscard]] std::uint32_t expiry() const noexcept { return expiry_; }
    // The attach that `slot` names; null when there is none (any more).
    [[nodiscard]] const attachment* find_attachment(std::uint32_t slot) const noexcept;
    void for_each_attachment(const std::function<void(const attachment&)>& visit) const;
    void for_each_watch(const std::function<void(const watch_request&)>& visit) const;
    [[nodiscard]] const session_counters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t queued_messages() const noexcept { return outbox_.messages(); }
    [[nodiscard]] std::size_t queued_octets() const noexcept { return outbox_.octets(); }
    [[nodiscard]] std::size_t receipts_waiting() const noexcept { return receipts_waiting_; }

private:
    friend class broker_connection;

    struct watching {
        watch_request asked;
        std::unordered_map<std::string, entity_state> pending;  // last state of each, not told yet
        std::deque<std::string> order;                          // of `pending`
        bool ok_owed = false;                                   // after what is pending
        std::uint32_t matched = 0;
        bool active = false;
    };
    enum class intake : std::uint8_t { fresh, duplicate, closing };

    // Connections (broker_session.cpp).
    void begin(time_point now, broker_connection& connection, const connect_request& request,
               const opened_session& opened);
    void write_connected(bool resumed, std::uint16_t addresses);
    void rejoin(time_point now, std::uint64_t received);
    void leave_connection(errc reason, std::string_view text);
    void connection_lost(time_point now);
    void finish_session(time_point now, end_reason why);
    verdict fail(time_point now, errc code, std::string_view text);
    void write_error(errc code, std::string_view text);

    // Input, by verb (broker_input.cpp, broker_requests.cpp).
    verdict on_message(time_point now, const frame_view& frame);
    verdict on_ack(time_point now, std::uint64_t number);
    verdict on_nak(time_point now, const frame_view& frame);
    verdict on_request(time_point now, const frame_view& frame);
    result<void> on_attach(time_point now, std::uint32_t request, const frame_view& frame);
    result<void> on_detach(time_point now, std::uint32_t request, const frame_view& frame);
    result<void> on_watch(time_point now, std::uint32_t request, const frame_view& frame);
    result<void> on_grant(time_point now, std::uint32_t request, const frame_view& frame);
    result<void> on_revoke(time_point now, std::uint32_t request, const frame_view& frame);
    intake take_number(time_point now, std::uint64_t number);
    result<const attachment*> sender_of(std::string_view from);
    route_status route(time_point now, const frame_view& frame);
    bool route_again(const frame_view& frame);
    void settle(std::uint64_t number, const route_report& report, bool refused);
    void mark_taken(std::uint64_t number, bool done);
    void processed(time_point now, std::uint64_t number, bool done);
    void acknowledge_up_to(time_point now, std::uint64_t number);
    [[nodiscard]] std::uint64_t acknowledgeable() const noexcept;
    void note_taken(time_point now);
    void write_ack();
    void start_watch(time_point now, watching& what);
    attachment* attach_by_request(std::uint32_t request) noexcept;
    watching* watch_by_request(std::uint32_t request) noexcept;
    std::uint32_t free_slot();

    // Durable sessions (broker_durable.cpp).
    struct held_answer {
        std::uint64_t position = 0;
        mbws::verb verb = verb::unknown;
        std::uint64_t number = 0;
        std::string fields;
        std::string body;
    };
    void hold_answers();
    [[nodiscard]] bool holding() const noexcept { return confirmed_ < held_; }
    void give_number(outbox_entry& entry);
    void refuse_job(time_point now, std::uint64_t number);
    // Numbers that the client can know.
    [[nodiscard]] std::uint64_t known_number() const noexcept {
        return journal_ == nullptr ? last_number_ : sent_number_;
    }

    // Output (broker_output.cpp).
    void write(mbws::verb which, std::string_view fields, std::uint64_t number = 0,
               std::string_view body = {});
    void write_ok(std::uint32_t request);
    void write_nak(std::uint32_t request, const error& failure);
    void write_entity(const watching& what, std::string_view address, entity_state state);
    std::string_view own_fields(const attachment& to, bool monitor, std::uint64_t missed);
    std::uint32_t take_missed() noexcept;
    void send_entry(time_point now, std::uint32_t index);
    void send_run(std::uint32_t index);
    void write_singly(const run_piece& piece, std::string_view own);
    void split_run(std::uint32_t index, std::size_t messages);
    [[nodiscard]] std::uint32_t charge(const run_piece& piece, std::uint32_t slot) const noexcept;
    [[nodiscard]] std::uint32_t charge_of_first(const outbox_entry& entry, std::size_t messages) const noexcept;
    void remove_entry(std::uint32_t index) noexcept;
    void drop_entry(std::uint32_t index, session_drop reason) noexcept;
    void drop_expired(time_point now) noexcept;
    [[nodiscard]] bool full(std::size_t octets) const noexcept;
    [[nodiscard]] bool may_write_directly(std::size_t octets) noexcept;
    offer_result make_room(time_point now, const prepared_message& what, const delivery& how,
                           std::size_t octets);
    offer_result drop_offered(const prepared_message& what, session_drop reason) noexcept;
    [[nodiscard]] std::size_t unsent() const noexcept { return outbox_.messages() - outbox_.in_flight(); }
    [[nodiscard]] bool sender_should_wait(time_point now, const delivery& how);
    void look_for_room();
    void fill_watches();
    void count_drop(session_drop reason, std::size_t messages = 1) noexcept;

    std::uint64_t id_;
    std::string token_;
    std::string identity_;
    std::string name_;
    const session_settings& settings_;
    session_host& host_;
    broker_connection* connection_ = nullptr;
    connection_port* port_ = nullptr;
    bool local_ = true;
    bool over_ = false;

    std::uint32_t peer_window_ = 0;
    std::uint32_t window_ = 0;
    std::uint32_t peer_size_ = frame_octets_default;
    std::uint32_t expiry_ = 0;
    time_point expires_at_ = never;  // when not connected

    // From the client.
    std::uint64_t received_ = 0;          // highest number that came
    std::uint64_t taken_ = 0;             // all up to this are taken over
    std::uint64_t acknowledged_out_ = 0;  // highest `ack` written on this connection
    time_point ack_due_ = never;
    ring<std::uint8_t> takeovers_;      // of taken_ + 1 and on: done already?
    ring<std::uint64_t> naks_waiting_;  // numbers whose nak must go out before their ack
    std::size_t receipts_waiting_ = 0;
    bool input_stopped_ = false;  // wants_input() said no
    std::size_t holds_ = 0;
    std::string from_text_;  // last `from` as written, and whose it was
    std::uint32_t from_slot_ = 0;
    route_report report_;  // reused
    bool repeatable_ = false;  // route_report::may_repeat of the last message

    // To the client.
    outbox outbox_;
    std::uint64_t last_number_ = 0;   // given to a frame
    std::uint64_t missed_ = 0;        // not told yet

    // Durable: what waits for the store.
    session_journal* journal_ = nullptr;
    std::uint64_t stored_number_ = 0;  // entries up to this may be sent
    std::uint64_t sent_number_ = 0;    // highest that was ever sent
    std::uint64_t held_ = 0;           // last position of confirm()
    std::uint64_t confirmed_ = 0;
    std::uint64_t connected_at_ = 0;   // position of `connected`
    ring<held_answer> answers_;

    std::size_t written_ = 0;         // messages written since the port was last empty
    time_point trim_at_ = never;      // the memory of the queue goes, if it is empty then
    time_point block_until_ = never;  // senders wait at most so long
    bool patience_over_ = false;
    bool overflowed_ = false;  // policy disconnect: at the end of the turn
    std::string scratch_;      // fields of the frame being written

    std::vector<std::unique_ptr<attachment>> attachments_;  // by slot
    std::size_t attached_ = 0;                              // active ones
    std::vector<std::uint32_t> senders_;                    // slots of entities, oldest first
    std::vector<std::unique_ptr<watching>> watches_;        // by slot
    std::size_t watching_ = 0;                              // active ones
    session_counters counters_;
};

}  // namespace mbus::mbws
