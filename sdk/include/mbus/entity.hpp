// An entity: this program's presence on the bus under one address. Made by connection::attach().
//
//     auto player = connection.attach("(app:player media:audio)").wait();
//     player->on_message([](const mbus::received_message& m) { ... });
//     player->send("media:audio", {"player.ready", {}});
//
// The handle owns the entity: when it goes, the entity leaves the bus (mbus.bye). It may outlive its
// connection; then everything fails with errc::disconnected. After a reconnect the same handle goes on,
// see connection_event.
//
// Thread-safety: belongs to its connection's thread.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/events.hpp>
#include <mbus/export.hpp>
#include <mbus/operation.hpp>
#include <mbus/payload.hpp>

namespace mbus {

namespace detail {
struct entity_record;
struct responder_record;
}  // namespace detail

// How long a request waits for its answer unless it says otherwise.
inline constexpr std::chrono::milliseconds request_limit{5000};
// How often wait_for() repeats mbus.waiting unless told otherwise.
inline constexpr std::chrono::milliseconds waiting_interval{1000};

struct send_options {
    // Dropped if it could not be delivered within this time; 0: no such limit.
    std::chrono::milliseconds ttl{0};
};

// Answers one request, now or later. Copies answer the same request; only the first answer counts.
// When the last copy goes without an answer, the caller is told so.
class MBUS_API responder {
public:
    explicit responder(std::shared_ptr<detail::responder_record> shared) noexcept;
    // A reply, or an error whose text the caller gets (RPC-STATUS FAILED).
    void answer(result<reply> outcome);

private:
    std::shared_ptr<detail::responder_record> shared_;
};

using message_handler = std::function<void(const received_message&)>;
// True: the job is done; false, or an exception: another reader shall have it.
using job_handler = std::function<bool(const received_message&)>;
using request_handler = std::function<result<reply>(const request&)>;
using deferred_request_handler = std::function<void(const request&, responder)>;

class MBUS_API entity {
public:
    explicit entity(std::shared_ptr<detail::entity_record> shared) noexcept;
    entity(entity&&) noexcept;
    entity& operator=(entity&&) noexcept;
    ~entity();

    // The full address, with its `id` element. It may change when the connection starts anew.
    [[nodiscard]] const mbus::address& address() const noexcept;

    // --- sending --------------------------------------------------------------------------

    // Fire and forget, to every entity that fits `to`. Errors are those found in this process:
    // bad_address, bad_command, bad_value, too_large, disconnected, overflow (the daemon does not
    // read; call flush()). What the daemon refuses is told to on_refused().
    result<void> send(const destination& to, const payload& what, const send_options& how = {});
    // The same for text that is there already, without a copy of it.
    template <class Text>
        requires std::convertible_to<const Text&, std::string_view>
    result<void> send(const destination& to, const Text& commands, const send_options& how = {}) {
        return send_text(to, commands, how);
    }

    // To exactly one entity, acknowledged by it. Errors, besides those of send(): no_match,
    // not_unique, not_acknowledged, left, overflow (the receiver's queue is full), forbidden.
    operation<delivery> send_reliably(const destination& to, const payload& what, const send_options& how = {});

    // Like send(), and tells how many entities matched; 0 is not an error.
    operation<receipt> send_with_receipt(const destination& to, const payload& what, const send_options& how = {});

    // Called for each message of send() that the daemon refused (no right, too large for the bus), and
    // when it does not let this entity attach again after a reconnect. While there is a handler,
    // every message asks for a receipt, which costs some speed.
    void on_refused(std::function<void(const error&)> handler);

    // --- receiving ------------------------------------------------------------------------
    // Messages wait in the entity until they are taken, at most inbox_messages_max; then the oldest
    // go and are counted (connection::missed()). In a session with a window nothing is lost: the
    // daemon waits.

    // The next message.
    operation<received_message> receive();
    // The same, blocking. errc::timed_out when none came in time.
    result<received_message> receive(std::chrono::milliseconds limit);
    // Calls the handler for each message from now on, those that wait included; null: stop.
    void on_message(message_handler handler);

    // For the reader of a queue (attach_mode::queue): a job is acknowledged when the handler says that it is
    // done, and goes to another reader when it says no; after five tries to the queue NAME.dead. What
    // receive() and on_message() take counts as done. Null: stop.
    void on_job(job_handler handler);

    // --- request and reply ----------------------------------------------------------------

    // Calls `what` at the one entity that fits `to` and waits for its answer. Errors, besides those
    // of send_reliably(): remote_failed with the callee's text, timed_out.
    operation<reply> request(const destination& to, command what,
                             std::chrono::milliseconds limit = request_limit);

    // Answers calls whose name fits the glob; the handler registered last wins. Once there is a
    // handler, calls to this entity that fit none are answered UNKNOWN. Refused with
    // bad_argument: names that start with "mbus." (RFC 3259, section 5.3).
    result<void> on_request(std::string_view names, request_handler handler);
    result<void> on_request(std::string_view names, deferred_request_handler handler);

    // --- the standard messages of RFC 3259, section 9 ---------------------------------------

    // Tells `to` every `interval` that this entity waits for the condition (mbus.waiting), until
    // somebody says mbus.go. Drop the operation to give up.
    // errc::bad_value: the condition is not a symbol.
    operation<void> wait_for(std::string_view condition, const destination& to = "()",
                             std::chrono::milliseconds interval = waiting_interval);
    operation<void> wait_for(const symbol& condition, const destination& to = "()",
                             std::chrono::milliseconds interval = waiting_interval);

    // Unblocks the one entity that fits `to` (mbus.go), reliably.
    operation<delivery> go(const destination& to, std::string_view condition);
    operation<delivery> go(const destination& to, const symbol& condition);
    operation<delivery> go(const destination& to, const std::vector<symbol>& conditions);

    // Asks every entity that fits `to` to terminate (mbus.quit); whether they obey is up to them.
    // For one entity, reliably: send_reliably(to, {"mbus.quit", {}}).
    result<void> quit(const destination& to);

    // Leaves the bus now and tells when that is done; the handle is of no further use.
    operation<void> detach();

private:
    result<void> send_text(const destination& to, std::string_view commands, const send_options& how);

    std::shared_ptr<detail::entity_record> shared_;
};

}  // namespace mbus
