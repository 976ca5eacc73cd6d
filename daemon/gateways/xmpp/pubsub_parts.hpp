// What the files of pubsub_service share: its faults and forms. Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateways/xmpp/forms.hpp"
#include "gateways/xmpp/jid.hpp"
#include "gateways/xmpp/namespaces.hpp"
#include "pubsub/service.hpp"

namespace mbusd::xmpp {

inline pubsub::fault bad_request(std::string text) { return {"modify", "bad-request", {}, std::move(text)}; }

// A result without payload.
inline xml::element nothing() { return {}; }

// The fields of the form in `holder`: an absent or cancelled one has none. A form for something else is
// refused; one that does not say what it is for (XEP-0068) is taken.
inline pubsub::outcome<pubsub::form_fields> submitted_in(const xml::element& holder) {
    const auto* form = holder.child(ns::forms, "x");
    if (form == nullptr || cancels(*form)) return pubsub::form_fields{};
    auto fields = fields_of(*form);
    for (const auto& [name, values] : fields) {
        if (name != "FORM_TYPE" || values.empty() || values.front().starts_with("http://jabber.org/protocol/pubsub#")) continue;
        return bad_request("the form is for " + values.front() + ", not for publish-subscribe");
    }
    return fields;
}

// An address as the service compares it; an empty one stays, which the service refuses in its own words.
inline pubsub::outcome<std::string> address_in(const xml::element& holder) {
    const auto text = holder.value_of("jid");
    if (text.empty()) return std::string{};
    const auto read = jid::parse(text);
    if (!read) return pubsub::fault{"modify", "bad-request", "invalid-jid", "the attribute jid is no XMPP address"};
    return read->full();
}

}  // namespace mbusd::xmpp
