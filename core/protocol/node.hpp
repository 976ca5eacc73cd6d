// The Mbus engine: many local entities behind one UDP endpoint (RFC 3259).
//
// Sans-I/O. Inputs carry the time; outputs are drained; the next deadline is a question:
//
//     node engine{options, std::move(envelope), events};
//     auto player = engine.attach(at, address, process_id);
//     engine.send(at, {.from = *player, .destination = everyone, .payload = "demo.text(\"hi\")"});
//     engine.receive(at, datagram, source);
//     engine.advance(at);                                   // run what is due
//     for (const auto& out : engine.transmits()) driver.send(out);
//     engine.transmitted(engine.transmits().size());
//     timer.expires_at(engine.next_deadline());
//
// Not thread-safe; one thread owns a node. `events` outlives it. Callbacks in `node_events` are made
// from inside the call that caused them and must not call back into the node, except counters().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/address.hpp>
#include <mbus/command.hpp>
#include <mbus/message.hpp>
#include <mbus/result.hpp>

#include "protocol/counters.hpp"
#include "protocol/endpoint.hpp"
#include "protocol/envelope.hpp"
#include "protocol/session_config.hpp"
#include "protocol/time.hpp"

namespace mbus::protocol {

// A local entity. Never reused while the node lives.
enum class entity_handle : std::uint32_t {};
// A reliable message on its way; chosen by the caller, reported back in node_events::sent().
using send_token = std::uint64_t;

// A message that arrived (or was sent locally), immutable and shared by all who receive it.
struct inbound {
    mbus::header header;
    // Commands in RFC 3259 text, as a strict reader takes it: rewritten when it needed leniency;
    // without mbus.hello, mbus.bye and mbus.ping, which are the engine's.
    std::string payload;
    std::string first_command;  // name of the first command, empty for a message without commands
    std::size_t commands = 0;
    std::uint32_t interface_index = 0;  // where it was heard; 0 = local
};

enum class peer_state : std::uint8_t { present, joined, left, lost };

// Another entity on the bus (not one of ours).
struct peer_view {
    const mbus::address* address = nullptr;
    endpoint last_endpoint;  // source of its last message
    bool unicast_capable = false;
    time_point first_heard;
    time_point last_heard;
};

// How a reliable message ended.
struct send_report {
    send_token token = 0;
    errc outcome = errc::internal;  // meaningful when !acknowledged: not_acknowledged, left, shutting_down
    bool acknowledged = false;
    mbus::address by;            // full address of the receiver
    unsigned transmissions = 0;  // how often it was put on the wire
    duration took{};             // from the first transmission to the acknowledgement or failure
};

// What the engine tells its owner.
class node_events {
public:
    // A message for a local entity. True: taken into its queue (only then an R message is
    // acknowledged); false: refused because the queue is full.
    virtual bool deliver(entity_handle to, const std::shared_ptr<const inbound>& what) = 0;
    // Every message that the engine heard for anybody, before delivery (monitors); may do nothing.
    virtual void observed(const std::shared_ptr<const inbound>& what) = 0;
    // A reliable message has ended. Exactly once per accepted reliable send.
    virtual void sent(const send_report& report) = 0;
    // A peer came (joined) or went (left = bye, lost = timeout).
    virtual void peer_changed(const peer_view& peer, peer_state state) = 0;

protected:
    ~node_events() = default;
};

struct node_options {
    std::string host_id{};           // "127.0.0.1" or "2a0:c9ff:fe12:3456" (section 4.1)
    dialect writing = dialect::rfc;  // `legacy`: docs/rfc3259.md, "The legacy dialect"
    bool legacy = false;             // reading leniency and sequence wrap of compat = "legacy"
    bool coalesce = true;            // pack unreliable messages to one destination
    bool unicast = true;             // directed unicast, section 6.2
    bool final_line_end = true;      // trap S1
    std::uint16_t session_port = default_port;
    std::size_t datagram_budget = datagram_octets_max;  // coalescing stops here: the link's MTU
    std::uint64_t seed = 0;  // of all randomness; the daemon takes it from the kernel
    // First SeqNum of a new entity; tests preset it (section 3: SHOULD be 0).
    std::uint32_t first_sequence_number = 0;
};

struct send_request {
    entity_handle from{};
    const mbus::address* destination = nullptr;  // outlives the call
    std::string_view payload;                    // commands that command_scanner accepts; may be empty
    std::size_t commands = 0;                    // how many commands the payload has
    bool reliable = false;     // exactly one entity must match; expanded to its full address
    bool may_coalesce = true;  // false: own datagram (receipt wanted, ttl, opaque, mbus.*)
    send_token token = 0;      // reported when reliable
    // Not 0: the payload was checked, and is one command in its strict form and nothing else, not of mbus.*; its
    // name has so many octets. It is not read again.
    std::size_t bare_name_octets = 0;
};

// Which known entities a destination matches.
struct match_result {
    std::vector<entity_handle> local;
    std::size_t remote = 0;  // peers that match
    bool complete = false;   // the destination is the full address of exactly one of them
    [[nodiscard]] std::size_t total() const noexcept { return local.size() + remote; }
};

// One datagram to send. Views are valid until transmitted().
struct outgoing {
    std::string_view datagram;
    bool group = true;      // to the group; else to `to`
    bool presence = false;  // hello or bye: goes out on all families
    endpoint to;            // when !group
};

class node {
public:
    node(node_options options, envelope security, node_events& events);
    ~node();
    node(const node&) = delete;
    node& operator=(const node&) = delete;

    // --- local entities -------------------------------------------------------------------

    // Adds an entity; `own` gets the mandatory id element `<process_id>-<n>@<host_id>` if it has
    // none. Errors: conflict (a full address that exists, here or on the bus), bad_address (id
    // outside section 4.1), limit (entities_max). The first hello follows within c_hello_min.
    // `first`: the SeqNum to begin with, for an entity that was here before a restart.
    result<entity_handle> attach(const instant& at, const mbus::address& own, std::uint32_t process_id,
                                 std::optional<std::uint32_t> first = {});

    // Removes it: bye goes out, its pending reliable sends end with errc::left.
    void detach(const instant& at, entity_handle entity);

    // Detaches all, for an orderly shutdown.
    void detach_all(const instant& at);

    // The full address; null for an unknown handle.
    [[nodiscard]] const mbus::address* address_of(entity_handle entity) const noexcept;

    // The SeqNum of the next message of an entity; 0 for an unknown handle.
    [[nodiscard]] std::uint32_t next_sequence_number(entity_handle entity) const noexcept;

    // --- sending --------------------------------------------------------------------------

    // Delivers to matching local entities through events, and to the bus as far as section 6
    // demands. Errors before any effect: no_entity, too_large, no_match and not_unique (reliable
    // only), overflow (transmit queue or pending reliable sends full).
    result<match_result> send(const instant& at, const send_request& request);

    // The bus half of send(): for callers that route locally themselves. The caller has resolved
    // `request.destination` and decided that the bus must hear it. Reliable: the destination must
    // match exactly one peer and no local entity.
    result<void> transmit(const instant& at, const send_request& request);

    // mbus.ping from `from`, for callers that route locally themselves and sent nothing on the bus: our
    // own entities that must process a message to `destination` say hello (section 9.3). transmit()
    // does it by itself.
    void ping(const instant& at, entity_handle from, const mbus::address& destination);

    // Octets of the datagram that `request` would need at most; compare with datagram_octets_max.
    [[nodiscard]] std::size_t datagram_octets(const send_request& request) const noexcept;

    // --- routing --------------------------------------------------------------------------

    [[nodiscard]] match_result match(const mbus::address& destination) const;

    // Changes whenever an entity, local or remote, comes or goes: key of route caches.
    [[nodiscard]] std::uint64_t generation() const noexcept;

    void for_each_peer(const std::function<void(const peer_view&)>& visit) const;
    // Known entities including our own (section 8.1.1, `entities`).
    [[nodiscard]] std::size_t entities() const noexcept;

    // --- the wire -------------------------------------------------------------------------

    // One datagram that was received. `from` is its source. Bad ones are counted, nothing else.
    void receive(const instant& at, std::string_view datagram, const endpoint& from);

    // Runs every timer that is due.
    void advance(const instant& at);

    // When advance() has to be called next; `never` when there is nothing to wait for.
    [[nodiscard]] time_point next_deadline() const noexcept;

    // Seals what waits and returns it, oldest first. Call at the end of a turn.
    std::span<const outgoing> transmits(const instant& at);

    // The first `count` of transmits() were handed to the kernel (or given up).
    void transmitted(std::size_t count);

    // Whether node_events::observed() is wanted. On at first; off, what is for nobody here costs no
    // copy of the message.
    void observe(bool wanted) noexcept;

    // The smallest budget of the interfaces in use; coalescing keeps datagrams within it.
    void set_datagram_budget(std::size_t octets) noexcept;

    // --- what is seen ---------------------------------------------------------------------

    [[nodiscard]] const struct counters& counters() const noexcept;
    // For drops that happen before the engine sees the datagram (not_local_host, truncated).
    void count_drop(drop_reason reason) noexcept;

private:
    struct implementation;
    std::unique_ptr<implementation> parts_;
};

}  // namespace mbus::protocol
