// bus.DOMAIN: the bus for XMPP clients (docs/xmpp.md). The resource is an Mbus address as it is:
// `bus.bus.example/(app:player media:audio)`.
//
//     bus_service door{{.host = "bus.bus.example", .identity = ...}, hub, turns, domain};
//     domain.add(door);
//
// Each bound session is an entity, `(app:xmpp user:ann resource:x7 id:...)`. What it sends to an address
// goes to the bus with the rights of its account; what its entity is sent comes as a message stanza.
// One thread. Router, turns and domain outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mbus/address.hpp>

#include "gateways/xmpp/stanza.hpp"
#include "gateways/xmpp/stanza_service.hpp"
#include "router/participant.hpp"
#include "router/router.hpp"
#include "router/turn.hpp"

namespace mbusd::xmpp {

// Entities in one answer to disco#items; the next page is asked for as XEP-0059 says. 1000 of the usual
// size are 150 KiB, and clients take 256 KiB.
inline constexpr std::size_t disco_entities_max = 1000;
// Requests (iq) that wait for their reply, of one session, and how long.
inline constexpr std::size_t calls_of_one = 64;
inline constexpr std::chrono::seconds call_patience{20};  // below the 30 s after which clients give up

struct bus_service_options {
    std::string host;  // "bus.bus.example"
    // The rights of a session's account; null: it may not use the bus, as guests unless a rule names them.
    std::function<std::shared_ptr<const granted_rights>(const session&)> rights;
    // Calls back once after a while, from the event loop.
    std::function<void(std::chrono::milliseconds, std::function<void()>)> after;
};

struct bus_service_counters {
    std::uint64_t sent = 0;          // messages and calls that the bus took
    std::uint64_t refused = 0;       // answered with an error
    std::uint64_t delivered = 0;     // messages of the bus to sessions
    std::uint64_t ignored = 0;       // stanzas that mean nothing here: errors, chat states
    std::uint64_t presences = 0;     // entities that came and went, as told to sessions
};

class bus_service final : public stanza_service, private entity_observer, private turn_task {
public:
    bus_service(bus_service_options options, router& hub, turn_queue& turns, stanza_sender& out);
    ~bus_service();
    bus_service(const bus_service&) = delete;
    bus_service& operator=(const bus_service&) = delete;

    [[nodiscard]] const bus_service_counters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t entities() const noexcept { return members_.size(); }

    // stanza_service
    [[nodiscard]] std::string_view host() const override { return options_.host; }
    [[nodiscard]] std::string_view title() const override { return "The bus"; }
    void handle(session& from, const jid& to, xml::element stanza) override;
    void session_bound(session& which) override;
    void session_ended(session& which) override;

private:
    // A session on the bus.
    struct member final : participant {
        member(bus_service& owner, session& whose) : service(owner), who(&whose), name(whose.jid()) {}
        acceptance offer(mbus::mbws::time_point now, local_entity& to, message_forms& forms, const mbus::mbws::delivery& how,
                         delivery_ticket ticket) override;
        [[nodiscard]] std::string_view participant_name() const noexcept override { return name; }

        bus_service& service;
        session* who;  // null: it has ended
        std::string name;
        std::optional<mbus::protocol::entity_handle> handle{};
        std::string problem{};  // why it is not on the bus
        std::shared_ptr<const granted_rights> rights{};
        std::optional<mbus::address> watched{};  // presence of entities that answer to it
        std::size_t calls = 0;
    };
    // A request whose reply is awaited.
    struct call {
        std::weak_ptr<member> caller;
        xml::element question;
        mbus::address asked;  // where it went
        std::string callee;   // who took it, when that is known
        std::string name;  // "door.open.return"
    };

    void message(const std::shared_ptr<member>& from, const jid& to, const xml::element& stanza);
    void sent(member& from, const xml::element& stanza, bool receipt, const mbus::mbws::route_report& report);
    void presence(member& from, const jid& to, const xml::element& stanza);
    void query(const std::shared_ptr<member>& from, const jid& to, const xml::element& iq);
    void refuse(member& to, const xml::element& stanza, const mbus::error& why);
    // The entity that `to` names, or the whole bus; nothing: the stanza was answered.
    std::optional<mbus::address> address_in(member& from, const jid& to, const xml::element& stanza);
    // False: the stanza was answered.
    bool on_the_bus(member& from, const xml::element& stanza);
    [[nodiscard]] std::string jid_of(std::string_view address) const;
    void list(member& from, const mbus::address& pattern, const xml::element& iq);
    void info(member& from, const jid& to, const mbus::address& whom, const xml::element& iq);
    void tell(member& to, const mbus::address& who, mbus::mbws::entity_state state, bool local);

    // bus_calls.cpp
    void start_call(const std::shared_ptr<member>& from, const mbus::address& whom, const xml::element& iq);
    void call_sent(std::uint64_t id, const mbus::mbws::route_report& report);
    bool is_reply(const member& to, std::string_view source, const mbus::command& what);
    void end_call(std::uint64_t id, const std::function<void(member&, const xml::element&)>& with);

    void entity_changed(const mbus::address& who, mbus::mbws::entity_state state, bool local, const participant* host) override;
    void end_of_turn() override { gone_.clear(); }

    bus_service_options options_;
    router& hub_;
    turn_queue& turns_;
    stanza_sender& out_;
    bus_service_counters counters_;
    std::unordered_map<const session*, std::shared_ptr<member>> members_;
    std::vector<std::shared_ptr<member>> watchers_;
    std::vector<std::shared_ptr<member>> gone_;  // until the end of the turn: the router may still hold them
    std::map<std::uint64_t, call> calls_;
    std::uint64_t last_call_ = 0;
    std::uint64_t last_id_ = 0;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace mbusd::xmpp
