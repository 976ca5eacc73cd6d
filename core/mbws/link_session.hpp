// One side of a link between two brokers (docs/mbws.md, section 9). Sans-I/O and symmetric: after
// `connect` and `connected` both ends attach entities, send messages and answer. It is told the time
// and given frames, asks its link_host for everything that is not protocol, and writes to a
// connection_port.
//
//     link_session link{link_role::calling, options, host};
//     link.call(now, carrier, port);              // the calling side, for each connection
//     link.answer(now, carrier, port, request, token, answered);   // the called side
//     link.handle(now, frame);  link.fill(now);  link.lost(now);   // whoever reads and writes
//     link.attach(now, address);                  // an entity of ours, in full
//     link.offer(now, ready, {.token = ticket, .expires = now + 10s});   // a message for the other side
//
// Numbers, windows, acknowledgements and resumption are those of section 4, once per direction. A
// calling link goes on after its session has ended: the next call() opens another one.
// Not thread-safe. Host, port and carrier outlive their use; the host may destroy the session after
// link_ended() returned and the call that caused it, not inside.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/result.hpp>

#include "mbws/broker_session.hpp"
#include "mbws/connection_port.hpp"
#include "mbws/frame.hpp"
#include "mbws/number_intake.hpp"
#include "mbws/outbox.hpp"
#include "mbws/session_host.hpp"
#include "mbws/time.hpp"

namespace mbus::mbws {

class link_session;

// Entities that the other side may attach: as many as a bus may have.
inline constexpr std::size_t link_attaches_max = 65536;
// A broker id has 16 lower-case hexadecimal digits.
[[nodiscard]] bool is_broker_id(std::string_view text) noexcept;

enum class link_role : std::uint8_t { calling, called };
enum class link_state : std::uint8_t {
    idle,     // no session
    opening,  // `connect` is written
    active,
    standby,  // the two buses are joined already
    lost,     // no connection; the session may be resumed
    closing,  // `close` is written
};
[[nodiscard]] std::string_view to_string(link_state which) noexcept;

struct link_options {
    std::string broker{};                 // id of this broker
    std::string name{"mbusd"};            // for humans
    std::uint32_t window = 256;           // 1..65536
    std::uint32_t expiry = 60;            // s
    std::uint32_t size = frame_octets_default;
    std::size_t queue_octets_max = 8 * 1024 * 1024;
    std::size_t queue_messages_max = 65536;
};

// A message of the other side, checked as far as a link can. Views are valid during the call.
struct link_message {
    std::uint64_t number = 0;  // names it in receipt() and take_over()
    bool reliable = false;
    bool receipt_wanted = false;
    std::string_view to{};
    std::string_view from{};
    std::uint64_t from_handle = 0;  // what link_attach() returned for it
    std::string_view type{};        // empty: commands
    std::string_view body{};
    body_summary commands{};
    std::uint64_t time = 0;
    std::uint32_t ttl = 0;
    std::string_view via{};
    std::string_view origin{};
};

// A message for the other side.
struct link_delivery {
    std::uint64_t token = 0;     // reliable: given back with its outcome; 0: nobody waits
    time_point expires = never;  // reliable: not-acknowledged then; else dropped if it still waits
};

// How the called side answers `connect`.
struct link_answer {
    bool resumed = false;
    bool standby = false;
};

class link_host {
public:
    // Both ends may use the link now. Not `resumed`: it is a new session with nothing attached; the
    // host attaches what it wants the other side to see.
    virtual void link_up(time_point now, link_session& link, bool resumed) = 0;

    // An entity of the other side, in full; the result is the host's name for it. Errors become the
    // code and text of a nak.
    virtual result<std::uint64_t> link_attach(time_point now, link_session& link,
                                              const mbus::address& entity) = 0;
    virtual void link_detach(time_point now, link_session& link, std::uint64_t handle) = 0;
    // The other side refused an entity of ours.
    virtual void link_refused(time_point now, link_session& link, const mbus::address& entity,
                              const error& why) = 0;

    virtual route_status link_route(time_point now, link_session& link, const link_message& what,
                                    route_report& report) = 0;
    // The outcome of a message offered with a token; exactly once for each that was taken.
    virtual void link_outcome(time_point now, link_session& link, std::uint64_t token,
                              const route_report& report) = 0;

    // The session is over, `why` it is; link_detach() was called for all entities of the other side.
    virtual void link_ended(time_point now, link_session& link, const error& why) = 0;

    // Its deadline, or what waits in it, may have changed.
    virtual void link_touched(link_session& link) = 0;

protected:
    ~link_host() = default;
};

// The connection that carries a link: it is told when the link lets go of it.
class link_carrier {
public:
    virtual void link_released() noexcept = 0;

protected:
    ~link_carrier() = default;
};

struct link_counters {
    std::uint64_t sent = 0;  // messages of ours, put into a connection's output
    std::uint64_t redelivered = 0;
    std::uint64_t received = 0;    // messages of the other side, refused ones included
    std::uint64_t refused = 0;     // of these: by nak
    std::uint64_t duplicates = 0;  // numbered frames that came again
    std::uint64_t naks = 0;        // messages of ours that the other side refused
    std::uint64_t resumes = 0;
    std::uint64_t overflowed = 0;  // reliable messages that the full queue refused
    std::uint64_t late = 0;        // outcomes that came after nobody waited for them
    std::uint64_t dropped_queue = 0;      // unreliable, by the limit of the queue
    std::uint64_t dropped_expired = 0;    // their ttl ended in the queue
    std::uint64_t dropped_too_large = 0;  // larger than the other side takes
    std::uint64_t dropped_ended = 0;      // with the session

    [[nodiscard]] std::uint64_t dropped() const noexcept {
        return dropped_queue + dropped_expired + dropped_too_large + dropped_ended;
    }
};

class link_session {
public:
    link_session(link_role role, link_options options, link_host& host);
    ~link_session();
    link_session(const link_session&) = delete;
    link_session& operator=(const link_session&) = delete;

    // --- connections ----------------------------------------------------------------------

    // Writes `connect`, which resumes the session if there is one.
    void call(time_point now, link_carrier& carrier, connection_port& port);
    // Writes `connected`. `token`: 32 to 64 URL-safe random characters; kept on a resumed session.
    void answer(time_point now, link_carrier& carrier, connection_port& port, const connect_request& request,
                std::string_view token, link_answer how);
    verdict handle(time_point now, const frame_view& frame);
    // What came is no frame: `error`, then the connection closes; the session stays resumable.
    void fault(time_point now, errc code, std::string_view text);
    // The connection is gone.
    void lost(time_point now);
    // Moves what waits into the port; at the end of a turn in which the port was woken.
    void fill(time_point now);
    [[nodiscard]] bool wants_input() noexcept;
    [[nodiscard]] bool can_resume(std::uint64_t received) const noexcept;

    // --- entities and messages of ours ----------------------------------------------------

    // Shows an entity to the other side, again after every new connection that did not hear of it.
    void attach(time_point now, const mbus::address& entity);
    // Withdraws it, after the messages that wait.
    void detach(time_point now, const mbus::address& entity);
    [[nodiscard]] bool attached(std::string_view entity) const;  // a full address in canonical form

    // taken, dropped (unreliable, counted), refused (reliable, the queue is full) or too_large.
    offer_result offer(time_point now, const message_ref& what, const link_delivery& how);

    // Outcomes of messages that link_route() left open. Not from inside link_route().
    void receipt(time_point now, std::uint64_t number, const route_report& report);
    void take_over(time_point now, std::uint64_t number);

    // Detaches all and closes; link_ended() follows, now or with the other side's answer.
    void close(time_point now, const error& why);
    // Ends the session from here: `error`, and the connection closes. For shutdown.
    void end(time_point now, const error& why);

    // --- time -----------------------------------------------------------------------------

    void advance(time_point now);
    [[nodiscard]] time_point next_deadline() const noexcept;

    // --- what is seen ---------------------------------------------------------------------

    [[nodiscard]] link_role role() const noexcept { return role_; }
    [[nodiscard]] link_state state() const noexcept { return state_; }
    [[nodiscard]] bool connected() const noexcept { return port_ != nullptr; }
    [[nodiscard]] const std::string& token() const noexcept { return token_; }
    // Changes when a session ends: numbers of earlier ones mean nothing any more.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
    [[nodiscard]] const std::string& peer_broker() const noexcept { return peer_broker_; }
    [[nodiscard]] std::size_t entities_shown() const noexcept { return exports_.size(); }
    [[nodiscard]] std::size_t entities_hosted() const noexcept { return imports_.size(); }
    [[nodiscard]] std::size_t queued_messages() const noexcept { return outbox_.messages(); }
    [[nodiscard]] std::size_t queued_octets() const noexcept { return outbox_.octets(); }
    // Why the last connection ended, as far as either side said; empty text: it just broke.
    [[nodiscard]] const error& last_fault() const noexcept { return fault_; }
    [[nodiscard]] const link_counters& counters() const noexcept { return counters_; }

private:
    // An entity of ours that the other side is to host.
    struct shown {
        std::uint32_t request = 0;
        bool answered = false;
    };
    // A detach that is not answered yet.
    struct withdrawal {
        std::uint32_t about = 0;
        std::uint64_t after = 0;  // serial in the outbox: what was offered before goes first
        std::string entity;
        bool attach_again = false;  // it came back meanwhile
    };
    // A reliable message whose outcome is open.
    struct awaited {
        time_point until = never;
        std::uint64_t number = 0;  // 0: not sent yet
    };
    struct hosted {
        std::string entity;
        std::uint64_t handle = 0;
    };

    // Connections (link_session.cpp).
    void join(time_point now, link_carrier& carrier, connection_port& port);
    void leave_connection(errc reason, std::string_view text);
    void connection_lost(time_point now);
    void finish(time_point now, const error& why);
    void forget_session(time_point now);
    void rejoin(std::uint64_t received);
    verdict fail(time_point now, errc code, std::string_view text);
    verdict on_connected(time_point now, const frame_view& frame);
    verdict on_error(time_point now, const frame_view& frame);
    verdict on_close(time_point now);

    // Input (link_input.cpp).
    verdict dispatch(time_point now, const frame_view& frame);
    verdict on_numbered(time_point now, const frame_view& frame);
    bool on_message(time_point now, const frame_view& frame);
    route_status route(time_point now, const frame_view& frame);
    void on_outcome(time_point now, const frame_view& frame);
    verdict on_ack(time_point now, std::uint64_t number);
    verdict on_request(time_point now, const frame_view& frame);
    result<void> on_attach(time_point now, std::uint32_t request, const frame_view& frame);
    result<void> on_detach(time_point now, const frame_view& frame);
    void on_answer(time_point now, const frame_view& frame);

    // Output (link_output.cpp).
    void write(verb which, std::string_view fields, std::uint64_t number = 0, std::string_view body = {});
    void write_error(errc code, std::string_view text);
    void write_ack();
    void note_taken(time_point now);
    void send_requests();
    void show(const std::string& entity);
    void settle(time_point now, std::uint64_t number, const route_report& report, bool refused);
    void send_entry(time_point now, std::uint32_t index);
    bool make_room(time_point now, std::size_t octets);
    [[nodiscard]] bool full(std::size_t octets) const noexcept;
    void drop(std::uint32_t index, std::uint64_t& counter) noexcept;
    void remove_entry(std::uint32_t index) noexcept;
    void drop_expired(time_point now);
    void tell_outcome(time_point now, std::uint64_t token, const route_report& report);
    void give_up(time_point now, std::uint64_t token, errc code, std::string_view text);
    std::uint32_t free_request();

    const link_role role_;
    const link_options options_;
    link_host& host_;
    link_carrier* carrier_ = nullptr;
    connection_port* port_ = nullptr;
    link_state state_ = link_state::idle;

    std::string token_;  // a secret
    std::uint64_t epoch_ = 0;
    std::string peer_broker_;
    std::uint32_t peer_window_ = 0;
    std::uint32_t peer_size_ = frame_octets_default;
    std::uint32_t expiry_ = 0;
    time_point expires_at_ = never;  // when not connected
    time_point heard_{};
    time_point pinged_{};
    time_point answer_until_ = never;  // of `connect`, `close`, or a standby answer
    error why_{};  // of close() or standby
    error fault_{};  // why the last connection ended, as far as either side said

    number_intake intake_;
    std::size_t receipts_waiting_ = 0;
    bool input_stopped_ = false;
    route_report report_;  // reused
    std::string from_text_;  // last `from` as written, and whose it was
    std::uint64_t from_handle_ = 0;

    outbox outbox_;
    std::uint64_t last_number_ = 0;
    std::unordered_map<std::uint64_t, std::uint64_t> numbered_;  // reliable, sent: number -> token
    std::unordered_map<std::uint64_t, awaited> waiting_;        // by token
    std::set<std::pair<time_point, std::uint64_t>> patience_;  // (until, token), in order of time

    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, shown, text_hash, std::equal_to<>> exports_;  // by full address
    std::unordered_map<std::uint32_t, std::string> by_request_;  // of exports_
    ring<std::uint32_t> attaches_due_;                           // requests to be written
    std::unordered_map<std::uint32_t, withdrawal> withdrawals_;  // by request
    std::unordered_map<std::string, std::uint32_t> withdrawing_;  // their entities
    ring<std::uint32_t> withdrawals_due_;                        // requests to be written, oldest first
    std::uint32_t last_request_ = 0;
    std::unordered_map<std::uint32_t, hosted> imports_;           // by the other side's request
    std::unordered_map<std::string, std::uint32_t> import_of_;    // full address -> request
    std::string scratch_;  // fields of the frame being written
    link_counters counters_;
};

}  // namespace mbus::mbws
