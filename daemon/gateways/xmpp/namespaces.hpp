// The namespaces of XMPP that this server speaks.
#pragma once

#include <string_view>

namespace mbusd::xmpp::ns {

inline constexpr std::string_view client = "jabber:client";
inline constexpr std::string_view framing = "urn:ietf:params:xml:ns:xmpp-framing";      // RFC 7395
inline constexpr std::string_view streams = "http://etherx.jabber.org/streams";         // RFC 6120
inline constexpr std::string_view stream_errors = "urn:ietf:params:xml:ns:xmpp-streams";
inline constexpr std::string_view stanza_errors = "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr std::string_view sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
inline constexpr std::string_view bind = "urn:ietf:params:xml:ns:xmpp-bind";
inline constexpr std::string_view session = "urn:ietf:params:xml:ns:xmpp-session";      // RFC 3921
inline constexpr std::string_view management = "urn:xmpp:sm:3";                         // XEP-0198
inline constexpr std::string_view result_sets = "http://jabber.org/protocol/rsm";       // XEP-0059
inline constexpr std::string_view disco_info = "http://jabber.org/protocol/disco#info"; // XEP-0030
inline constexpr std::string_view disco_items = "http://jabber.org/protocol/disco#items";
inline constexpr std::string_view ping = "urn:xmpp:ping";                               // XEP-0199
inline constexpr std::string_view roster = "jabber:iq:roster";                          // RFC 6121
inline constexpr std::string_view blocking = "urn:xmpp:blocking";                       // XEP-0191
inline constexpr std::string_view blocking_errors = "urn:xmpp:blocking:errors";
inline constexpr std::string_view receipts = "urn:xmpp:receipts";                       // XEP-0184
inline constexpr std::string_view forms = "jabber:x:data";                              // XEP-0004
inline constexpr std::string_view pubsub = "http://jabber.org/protocol/pubsub";         // XEP-0060
inline constexpr std::string_view pubsub_owner = "http://jabber.org/protocol/pubsub#owner";
inline constexpr std::string_view pubsub_event = "http://jabber.org/protocol/pubsub#event";
inline constexpr std::string_view pubsub_errors = "http://jabber.org/protocol/pubsub#errors";
inline constexpr std::string_view bus = "urn:x-mbus:1";                                 // commands of the bus

}  // namespace mbusd::xmpp::ns
