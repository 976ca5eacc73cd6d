// Who hosts an entity without being an MBWS session: a link to another daemon, a queue, the HTTP
// gateway.
//
//     class link final : public participant { ... };
//     auto handle = hub.join(*this, address, {});        // on the bus, for local senders and peers
//     hub.send(now, {.from = *handle, .to = "(app:player)", .body = "player.play()"}, nullptr, report, {});
//     hub.leave(*handle);                                // before the participant dies
//
// One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <mbus/address.hpp>

#include "mbws/broker_session.hpp"
#include "mbws/session_host.hpp"
#include "protocol/node.hpp"
#include "router/message_forms.hpp"
#include "router/peer_identity.hpp"

namespace mbusd {

struct local_entity;

// Names an outcome that a sender waits for; 0: nobody does.
using delivery_ticket = std::uint64_t;

enum class acceptance : std::uint8_t {
    taken,      // it is mine now; for a reliable message this acknowledges it
    later,      // taken; router::settle(ticket, report) follows, exactly once, if `ticket` is not 0
    dropped,    // unreliable and no room: counted here
    refused,    // reliable and no room
    too_large,
};

class participant {
public:
    // A message for `to`, an entity of this participant. A message that fits several of them is
    // offered for each, one after the other, with the same forms.serial().
    virtual acceptance offer(mbus::mbws::time_point now, local_entity& to, message_forms& forms,
                             const mbus::mbws::delivery& how, delivery_ticket ticket) = 0;
    // For people: who this is, in `mbus peers`.
    [[nodiscard]] virtual std::string_view participant_name() const noexcept = 0;
    // For whom it speaks as this entity: their rights are asked for, and only what they sent goes out from
    // it. Null: nobody in particular.
    [[nodiscard]] virtual std::shared_ptr<const peer_identity> speaker(const local_entity&) const { return nullptr; }

protected:
    ~participant() = default;
};

// What the entity of a participant wants besides commands (attach_request).
struct joined_as {
    std::string type{};      // media type; empty: commands only
    std::string commands{};  // globs on command names; empty: all
    bool kept = false;       // what it gets is stored: outcomes wait for that (a queue)
    std::optional<std::uint32_t> first_sequence{};  // SeqNum of an entity that was here before a restart
};

// A message of a participant's entity. Views are valid during the call.
struct outgoing_message {
    mbus::protocol::entity_handle from{};
    std::string_view to{};
    std::string_view type{};  // empty: commands
    std::string_view body{};
    bool reliable = false;
    bool receipt_wanted = false;
    std::uint64_t time = 0;  // ms since 1970; 0: now
    std::uint32_t ttl = 0;   // ms; 0: none
    std::string_view via{};     // links: broker ids already passed
    std::string_view origin{};  // links: id of the message
    const participant* came_over = nullptr;  // not offered to this one again
};

// How a message ended that router::send() said receipt_later for. Called exactly once.
using outcome_handler = std::function<void(const mbus::mbws::route_report&)>;

// Hears of every entity that comes and goes: those of this host, whoever hosts them, and peers.
class entity_observer {
public:
    // `host`: the participant of an entity of this host, null for sessions, peers and mbusd itself.
    virtual void entity_changed(const mbus::address& who, mbus::mbws::entity_state state, bool local,
                                const participant* host) = 0;

protected:
    ~entity_observer() = default;
};

}  // namespace mbusd
