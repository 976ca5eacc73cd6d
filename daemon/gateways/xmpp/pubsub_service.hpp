// pubsub.DOMAIN: publish-subscribe for XMPP clients (XEP-0060). Turns stanzas into calls of
// pubsub::service, and its events into messages.
//
//     pubsub_service door{"pubsub.bus.example", nodes, domain};
//     domain.add(door);
//     door.notify(...);                        // as a pubsub::listener, from whoever owns the nodes
//
// One thread. Nodes and domain outlive it.
#pragma once

#include <string>
#include <string_view>

#include "gateways/xmpp/stanza.hpp"
#include "gateways/xmpp/stanza_service.hpp"
#include "pubsub/service.hpp"

namespace mbusd::xmpp {

class pubsub_service final : public stanza_service, public pubsub::listener {
public:
    pubsub_service(std::string host, pubsub::service& nodes, stanza_sender& out);

    // stanza_service
    [[nodiscard]] std::string_view host() const override { return host_; }
    [[nodiscard]] std::string_view title() const override { return "Publish-subscribe"; }
    void handle(session& from, const jid& to, xml::element stanza) override;
    void session_ended(session& which) override;

    // pubsub::listener
    void notify(std::string_view jid, const pubsub::event& what) override;
    void changed(const pubsub::event&) override {}
    void approval_wanted(const std::vector<std::string>& owners, const pubsub::subscription& what) override;

private:
    // What a request leads to: the payload of the result (empty name: none), or a fault.
    using reply = pubsub::outcome<xml::element>;

    reply disco(const pubsub::requester& who, const xml::element& query);
    reply request(const pubsub::requester& who, bool set, const xml::element& pubsub);
    reply create(const pubsub::requester& who, const xml::element& pubsub, const xml::element& create);
    reply publish(const pubsub::requester& who, const xml::element& pubsub, const xml::element& publish);
    reply retract(const pubsub::requester& who, const xml::element& retract);
    reply items(const pubsub::requester& who, const xml::element& items);
    reply subscribe(const pubsub::requester& who, const xml::element& subscribe);
    reply unsubscribe(const pubsub::requester& who, const xml::element& unsubscribe);
    reply list(const pubsub::requester& who, const xml::element& what, bool of_owner);
    reply owner_request(const pubsub::requester& who, bool set, const xml::element& pubsub);
    reply set_list(const pubsub::requester& who, const xml::element& what);
    void decide(session& from, const xml::element& form);
    void answer(session& to, const xml::element& request, reply what);
    void write_event(const pubsub::event& what, std::string_view subscriber);

    std::string host_;
    pubsub::service& nodes_;
    stanza_sender& out_;
    std::uint64_t events_ = 0;
    // The event that was told last, as text around the receiver's address: one is told to many.
    pubsub::event told_;
    std::string before_to_;
    std::string after_to_;
};

}  // namespace mbusd::xmpp
