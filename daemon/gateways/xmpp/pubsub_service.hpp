// pubsub.DOMAIN: publish-subscribe for XMPP clients (XEP-0060). Turns stanzas into calls of
// pubsub::service, and its events into messages.
//
//     pubsub_service door{{.host = "pubsub.bus.example", .when_stored = ...}, nodes, domain};
//     domain.add(door);
//     door.notify(...);                        // as a pubsub::listener, from whoever owns the nodes
//
// What changes something is answered when the change is on the disk; later answers to the same session
// wait behind it. One thread. Nodes and domain outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateways/xmpp/result_set.hpp"
#include "gateways/xmpp/stanza.hpp"
#include "gateways/xmpp/stanza_service.hpp"
#include "pubsub/service.hpp"

namespace mbusd::xmpp {

// Rows of a list in one answer; the next page is asked for as XEP-0059 says.
inline constexpr std::size_t pubsub_rows_max = 1000;
// Octets of items in one answer, if they are more than one: clients take less than what they may ask for.
inline constexpr std::size_t pubsub_answer_octets_max = 1024 * 1024;
// Answers of one session that wait for the disk; then it is told to wait.
inline constexpr std::size_t pubsub_answers_waiting_max = 1024;

struct pubsub_service_options {
    std::string host;  // "pubsub.bus.example"
    // Runs what it gets when all changes so far are stored; empty: at once.
    std::function<void(std::function<void()>)> when_stored{};
    // Why nothing can be stored; empty: all is well.
    std::function<std::string_view()> problem{};
};

struct pubsub_door_counters {
    std::uint64_t requests = 0;
    std::uint64_t refused = 0;
    std::uint64_t events = 0;         // to addresses where somebody was
    std::uint64_t events_unread = 0;  // to nobody
    std::uint64_t approvals = 0;      // asked of owners
    std::uint64_t ignored = 0;        // stanzas that mean nothing here
    std::uint64_t stored_later = 0;   // answers that waited for the disk
};

class pubsub_service final : public stanza_service, public pubsub::listener {
public:
    pubsub_service(pubsub_service_options options, pubsub::service& nodes, stanza_sender& out);

    [[nodiscard]] const pubsub_door_counters& counters() const noexcept { return counters_; }
    // Answers that wait for the disk.
    [[nodiscard]] std::size_t answers_waiting() const noexcept;

    // stanza_service
    [[nodiscard]] std::string_view host() const override { return options_.host; }
    [[nodiscard]] std::string_view title() const override { return "Publish-subscribe"; }
    void handle(session& from, const jid& to, xml::element stanza) override;
    void session_ended(session& which) override;
    void presence_changed(session& which) override;

    // pubsub::listener
    void notify(std::string_view jid, const pubsub::event& what) override;
    void changed(const pubsub::event&) override {}
    void approval_wanted(const std::vector<std::string>& owners, const pubsub::subscription& what) override;

private:
    // What a request leads to: the payload of the result (empty name: none), or a fault.
    using reply = pubsub::outcome<xml::element>;
    struct waiting {
        std::size_t answers = 0;
    };

    void query(session& from, const xml::element& iq);
    void message(session& from, const xml::element& stanza);
    void answer(session& to, const xml::element& request, reply what);
    [[nodiscard]] std::optional<pubsub::fault> refuses_change(session& from) const;
    static stanza_fault stanza_fault_of(const pubsub::fault& why);

    // pubsub_requests.cpp
    reply request(const pubsub::requester& who, bool set, const xml::element& pubsub);
    reply create(const pubsub::requester& who, const xml::element& pubsub, const xml::element& create);
    reply publish(const pubsub::requester& who, const xml::element& pubsub, const xml::element& publish);
    reply retract(const pubsub::requester& who, const xml::element& retract);
    reply items(const pubsub::requester& who, const xml::element& pubsub, const xml::element& items);
    reply subscribe(const pubsub::requester& who, const xml::element& pubsub, const xml::element& subscribe);
    reply unsubscribe(const pubsub::requester& who, const xml::element& unsubscribe);
    reply options(const pubsub::requester& who, bool set, const xml::element& options);

    // pubsub_owners.cpp
    reply owner_request(const pubsub::requester& who, bool set, const xml::element& pubsub);
    reply set_affiliations(const pubsub::requester& who, const xml::element& what);
    reply set_subscriptions(const pubsub::requester& who, const xml::element& what);
    pubsub::outcome<pubsub::done> decide(const pubsub::requester& who, const xml::element& form);

    // pubsub_lists.cpp
    reply list(const pubsub::requester& who, const xml::element& pubsub, const xml::element& what, bool of_owner);
    reply disco(const pubsub::requester& who, const xml::element& query);
    reply describe_service(const xml::element& query);
    reply describe_node(const pubsub::requester& who, const xml::element& query);

    // pubsub_events.cpp
    void write_event(const pubsub::event& what, std::string_view subscriber);

    pubsub_service_options options_;
    pubsub::service& nodes_;
    stanza_sender& out_;
    pubsub_door_counters counters_;
    std::unordered_map<const session*, std::shared_ptr<waiting>> waiting_;  // that have answers waiting
    std::uint64_t events_ = 0;
    // The event that was told last, as text around the receiver's address: one is told to many.
    pubsub::event told_;
    std::string before_to_;
    std::string after_to_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace mbusd::xmpp
