// The client's side of an MBWS session (docs/mbws.md, sections 3 and 4), below the SDK. Sans-I/O: it
// is told the time and given octets or frames, and its output is drained.
//
//     client_session session{{.name = "player"}, handler};
//     auto ui = session.attach({.entity = "(app:ui module:ui)"});
//     session.connect(now);                         // for each connection: writes `connect`
//     socket.write(session.output()); session.written(n);
//     session.receive(now, octets);                 // calls the handler
//     session.send({.to = "(app:player)", .body = "player.play(1)", .reliable = true});
//     session.lost(now);                            // the connection broke: connect() again later
//
// Attaches and watches are repeated by themselves on every new connection. A session with a window
// resumes: what was not acknowledged is sent again, what comes again is dropped. With window 0 (the
// local default) a broken connection ends it: messages whose outcome is open are reported as such.
// Not thread-safe. The handler may call the session, but not receive(), lost() or the destructor.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mbus/result.hpp>

#include "mbws/address_numbers.hpp"
#include "mbws/frame.hpp"
#include "mbws/frame_reader.hpp"
#include "mbws/symbols.hpp"
#include "mbws/time.hpp"
#include "message/ring.hpp"

namespace mbus::mbws {

struct client_options {
    std::string name{};                     // for humans: the program
    std::string auth{};                     // a secret; empty on the local binding
    std::uint32_t window = 0;               // 0: local binding only
    std::optional<std::uint32_t> expiry{};  // s; not given: the binding's default
    std::uint32_t size = frame_octets_default;
    bool durable = false;
    std::size_t queue_octets_max = 8 * 1024 * 1024;  // output that may wait; then send() fails with overflow
    std::size_t queue_messages_max = 65536;          // unacknowledged and waiting ones (window > 0)
    std::chrono::seconds silence_max{0};             // give up after this long without a frame; 0: never
};

// A message that send() took; unique while the session object lives, rising.
using message_token = std::uint64_t;

struct client_attach {
    std::string_view entity{};  // "(app:ui module:ui)"
    attach_mode mode = attach_mode::entity;
    reader_policy policy = reader_policy::drop_oldest;
    std::string_view type{};      // media type wanted besides commands
    std::string_view commands{};  // globs on command names
    std::string_view queue{};     // mode queue
};

struct client_message {
    std::string_view to{};
    std::string_view from{};  // empty: the oldest attached entity
    std::string_view body{};
    std::string_view type{};  // empty: commands
    bool reliable = false;
    bool receipt_wanted = false;  // reliable wants one anyway
    std::uint64_t time = 0;       // origin time, ms since 1970
    std::uint32_t ttl = 0;        // ms
};

struct client_grant {
    std::string_view entity{};  // empty: the oldest
    std::string_view commands{};
    std::uint32_t expiry = 0;
    std::uint32_t uses = 0;
};

// What `connected` said.
struct connected_info {
    bool resumed = false;
    bool first = false;        // of this session object
    std::uint32_t window = 0;  // the broker's
    std::uint32_t expiry = 0;
    std::uint32_t size = 0;  // largest frame that the broker takes
    std::string_view broker{};
};

// A message for an entity of this session. Views are valid during the call.
struct delivered_message {
    std::uint64_t number = 0;  // 0: nothing to take over
    std::string_view to{};
    std::string_view from{};
    std::string_view entity{};  // empty: the session's only one
    std::string_view type{};    // empty: commands
    std::string_view body{};
    std::uint64_t time = 0;
    std::optional<std::uint32_t> sequence{};  // SeqNum on the bus; none: it is from this host
    std::string_view interface{};             // on which the daemon heard it; empty: from this host
    bool reliable = false;
    bool redelivered = false;
    bool monitor = false;  // a copy of a message between others
    bool repeats = false;  // but for number and body it is like the one before
    const frame_view* frame = nullptr;
};

// How a message that wanted a result ended.
struct message_result {
    bool ok = false;
    errc code = errc::internal;  // when !ok; errc::disconnected: its fate is unknown
    std::string_view text{};     // when !ok: what to do
    std::uint32_t matched = 0;
    std::string_view entity{};  // reliable: who took it
    unsigned tried = 0;
    std::uint32_t took = 0;  // ms
};

// What the session tells. Every function may do nothing. Views are valid during the call.
class client_handler {
public:
    virtual void on_connected(const connected_info& info) = 0;
    // The broker refused (`error`); the connection is to be closed. `again`: connecting again may
    // help; false for taken-over, unauthorized, bad-version and the like.
    virtual void on_fault(const error& failure, bool again) = 0;
    // The broker answered `close`, or the session was closed from there: close the connection.
    virtual void on_closed() = 0;

    // Again after a reconnect, with a new address when the session is a new one.
    virtual void on_attached(std::uint32_t request, std::string_view entity) = 0;
    virtual void on_watched(std::uint32_t request, std::uint32_t matched) = 0;
    // A watch begins again after a resume or a reconnect: forget what was present; what is follows.
    virtual void on_watch_restarted(std::uint32_t request) = 0;
    virtual void on_granted(std::uint32_t request, std::string_view url, std::uint32_t expiry,
                            std::uint32_t uses) = 0;
    // A detach or revoke was done.
    virtual void on_done(std::uint32_t request) = 0;
    virtual void on_refused(std::uint32_t request, const error& failure) = 0;

    virtual void on_entity(std::uint32_t request, std::string_view entity, entity_state state) = 0;
    // True: handled, it is acknowledged; false: take_over() follows later.
    virtual bool on_message(const delivered_message& what) = 0;
    // So many messages for this session were dropped by the broker.
    virtual void on_missed(std::uint64_t messages) = 0;
    // Exactly once for each reliable or receipt_wanted message; for others at most once, when they were
    // refused, or when a session with a window was lost before they were acknowledged.
    virtual void on_result(message_token token, const message_result& what) = 0;
    // The broker has heard that message `number` was refused (refuse()): take_over() it now.
    virtual void on_refusal_heard(std::uint64_t /*number*/) {}
    // The broker has taken over all messages up to this one (window > 0).
    virtual void on_taken_over(message_token up_to) = 0;
    virtual void on_pong(std::string_view body) = 0;

protected:
    ~client_handler() = default;
};

class client_session {
public:
    // The handler outlives the session.
    client_session(client_options options, client_handler& handler);
    ~client_session();
    client_session(const client_session&) = delete;
    client_session& operator=(const client_session&) = delete;

    // --- connection -----------------------------------------------------------------------

    // A connection is there: writes `connect`, and the requests that need no session.
    void connect(time_point now);
    // The connection broke or was closed.
    void lost(time_point now);
    // Octets of the local binding that came. False when the connection is to be closed (on_fault() or
    // on_closed() was called).
    bool receive(time_point now, std::string_view octets);
    // The same frame by frame, so that the program can act on each before the next is looked at: feed(),
    // then step() until it says need_more; the octets live until then. Between two steps everything
    // may be called, step() too.
    enum class stepped : std::uint8_t { frame, need_more, closing };
    void feed(std::string_view octets);
    stepped step(time_point now);
    // What step() does with a message that has the header of the one that on_message() was told of last, without telling
    // it of this one: only the body is another. False: nothing was done, step() has to look. Without a window only.
    bool step_again(std::string_view& body) noexcept;
    // step() has something to do without feed().
    [[nodiscard]] bool has_input() const noexcept { return reader_.has_fed(); }
    // The same for one frame of any binding.
    bool handle(time_point now, const frame_view& frame);

    // Frames to write, back to back in binary form. Valid until the next call of anything.
    [[nodiscard]] std::string_view output() const noexcept;
    void written(std::size_t octets);

    void advance(time_point now);
    [[nodiscard]] time_point next_deadline() const noexcept;

    // --- requests: each has one answer, on_refused() or its own ------------------------------

    std::uint32_t attach(const client_attach& what);
    std::uint32_t watch(std::string_view pattern);
    // Undoes the attach or watch with that request number; answered for its own number.
    std::uint32_t detach(std::uint32_t about);
    std::uint32_t grant(const client_grant& what);
    std::uint32_t revoke(std::string_view url);

    // --- messages -------------------------------------------------------------------------

    // Errors: overflow (the queue is full: wait for output to drain), too_large, bad_argument (ttl
    // or text that no field can hold), disconnected (after close()). Taken before `connected`, too.
    result<message_token> send(const client_message& what);
    // What send() does with most messages, without its look at all the rest: a body of commands, checked, to the
    // destination of the one before. False: nothing was done, send() has to look at it.
    bool send_again(std::string_view to, std::string_view body);
    // Gives a job of a queue back, for another reader; a nak. take_over() follows on_refusal_heard(),
    // not before (docs/mbws.md, section 4). Without a window nothing happens.
    void refuse(std::uint64_t number);
    // Messages up to `number` were handled (on_message() returned false).
    void take_over(time_point now, std::uint64_t number);

    void ping(std::string_view body);
    // An orderly end: what waits is sent and acknowledged, then `close`; on_closed() follows.
    void close(time_point now);

    // --- what is seen ---------------------------------------------------------------------

    [[nodiscard]] bool connected() const noexcept { return state_ == state::connected; }
    // A session that connect() will try to resume.
    [[nodiscard]] bool resumable() const noexcept { return !token_.empty(); }
    [[nodiscard]] bool closing() const noexcept { return close_wanted_; }
    [[nodiscard]] std::uint32_t window() const noexcept { return window_; }
    [[nodiscard]] std::size_t waiting_octets() const noexcept { return out_.size() - out_at_ + kept_octets_; }
    // Messages that were sent and not acknowledged, or wait to be sent (window > 0).
    [[nodiscard]] std::size_t unacknowledged() const noexcept { return kept_.size(); }
    // Those of them that were not yet sent on this connection: they wait for the window.
    [[nodiscard]] std::size_t unsent() const noexcept { return kept_.size() - sent_; }
    // Results that are still to come.
    [[nodiscard]] std::size_t open_results() const noexcept { return open_.size(); }
    [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }

private:
    enum class state : std::uint8_t { idle, connecting, connected, failed };

    // A message that waits to be sent or acknowledged.
    struct kept_message {
        message_token token = 0;
        bool wants_result = false;
        std::uint64_t refuses = 0;  // a nak: number of the broker's message
        std::string frame;  // complete but for its number
    };
    struct open_request {
        mbws::verb verb = verb::unknown;
        std::string frame;
        std::uint32_t about = 0;  // detach: what
        bool answered = false;
        bool sent = false;         // on this connection
        bool sent_before = false;  // on an earlier one: it may have been done already
        bool cancelled = false;    // an attach or watch whose detach is under way
    };

    // Requests (client_requests.cpp).
    std::uint32_t add_request(mbws::verb which, const std::string& fields, std::uint32_t about = 0);
    void write_request(open_request& what);
    void send_requests(bool new_session);
    void restart_watches();
    bool on_ok(const frame_view& frame);
    void on_request_nak(const frame_view& frame);
    void forget_request(std::uint32_t request);

    // Input (client_input.cpp).
    bool dispatch(time_point now, const frame_view& frame);
    bool on_connected(time_point now, const frame_view& frame);
    bool on_error(const frame_view& frame);
    bool on_close();
    bool on_ack(time_point now, std::uint64_t number);
    bool on_message(time_point now, const frame_view& frame);
    static void describe(const frame_view& frame, delivered_message& what);
    bool on_receipt(time_point now, const frame_view& frame);
    bool on_nak(time_point now, const frame_view& frame);
    void start_new_session();
    void drop_refusals();
    void drop_acknowledged(std::uint64_t up_to);
    enum class intake : std::uint8_t { fresh, duplicate, failed };
    intake take_number(time_point now, std::uint64_t number);
    void mark_taken(std::uint64_t number, bool done);
    void note_taken(time_point now);
    void write_ack();
    void settle(std::uint64_t number, const message_result& how);
    bool fail(errc code, std::string_view text);

    // Output (client_session.cpp).
    void write_message(std::uint8_t flags, std::uint64_t number, std::uint64_t to_id, const client_message& what);
    void reset_reader();
    void write(mbws::verb which, std::uint64_t number = 0, std::string_view body = {});
    void pump();
    void give_up(std::vector<message_token> tokens);
    void give_up_all();
    void maybe_close();

    client_options options_;
    client_handler& handler_;
    state state_ = state::idle;
    frame_reader reader_;
    frame_view frame_;  // reused
    delivered_message delivered_;
    bool delivered_repeatable_ = false;  // it is what the last frame brought
    bool delivered_plain_ = false;       // the same, and all that the frame brought

    std::string token_;      // of the session; a secret
    bool resuming_ = false;  // `connect` named a session
    bool had_session_ = false;
    bool close_wanted_ = false;
    bool close_written_ = false;
    bool closed_ = false;       // on_closed() was called
    std::uint32_t window_ = 0;  // the broker's
    std::uint32_t peer_size_ = frame_octets_default;
    time_point heard_;

    // Output.
    std::string out_;
    std::size_t out_at_ = 0;  // what of it was written
    std::size_t small_outputs_ = 0;  // in a row, for the memory that it has
    address_names names_;
    told_addresses told_;  // on this connection
    // The header of a message with nothing but this destination, which the broker knows: most are such.
    std::string plain_to_;  // empty: none
    std::uint16_t plain_number_ = 0;
    std::string plain_header_;
    message_token last_token_ = 0;
    ring<kept_message> kept_;
    std::size_t kept_octets_ = 0;
    std::size_t transmitted_ = 0;                            // of kept_, in this session: they have numbers
    std::size_t sent_ = 0;                                   // of these, on this connection
    std::uint64_t acknowledged_in_ = 0;                      // the number before kept_.front()
    std::unordered_map<std::uint64_t, message_token> open_;  // by number: results that are to come

    // Input.
    std::uint64_t received_ = 0;
    std::uint64_t taken_ = 0;
    std::uint64_t acknowledged_out_ = 0;
    ring<std::uint8_t> takeovers_;  // of taken_ + 1 and on: handled already?
    time_point ack_due_ = never;
    std::uint64_t duplicates_ = 0;

    std::map<std::uint32_t, open_request> requests_;
    std::uint32_t last_request_ = 0;
};

}  // namespace mbus::mbws
