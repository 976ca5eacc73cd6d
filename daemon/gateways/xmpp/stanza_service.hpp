// A part of the domain with an address of its own: bus.DOMAIN, pubsub.DOMAIN.
//
// The server calls it with stanzas that are checked (an iq that asks has an id and one child) and have
// their `from` stamped. Every iq that asks must be answered, through the sender. One thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gateways/xmpp/jid.hpp"
#include "gateways/xmpp/session.hpp"
#include "xml/element.hpp"

namespace mbusd::xmpp {

class stanza_service {
public:
    [[nodiscard]] virtual std::string_view host() const = 0;  // "pubsub.bus.example"
    // For people, in disco#items of the domain.
    [[nodiscard]] virtual std::string_view title() const = 0;

    // `to` is the stanza's: the host, with a resource perhaps.
    virtual void handle(session& from, const jid& to, xml::element stanza) = 0;

    virtual void session_bound(session&) {}
    virtual void session_ended(session&) {}
    // It has become available, or is no longer.
    virtual void presence_changed(session&) {}

protected:
    ~stanza_service() = default;
};

// How services reach sessions.
class stanza_sender {
public:
    // To the session with that full JID, or, for a bare one, to every resource that is available with a
    // priority of 0 or more. False: nobody is there; nothing is answered.
    virtual bool deliver(const jid& to, xml::element stanza) = 0;
    virtual bool deliver(std::string_view to, xml::element stanza) = 0;
    // The same for a stanza that is text already, for events with many receivers: `text` is called for
    // each session.
    virtual bool deliver_text(std::string_view to, const std::function<std::string(const session&)>& text) = 0;
    // Null when there is no such session.
    [[nodiscard]] virtual session* find(std::string_view full_jid) = 0;
    // To the session itself.
    virtual void send(session& to, const xml::element& stanza) = 0;

protected:
    ~stanza_sender() = default;
};

}  // namespace mbusd::xmpp
