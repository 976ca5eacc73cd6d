// Answers to stanzas (RFC 6120, section 8). Thread-safety: pure functions.
#pragma once

#include <string_view>

#include "xml/element.hpp"

namespace mbusd::xmpp {

// What was wrong: the condition comes first in <error/>, since some clients report the first child.
struct stanza_fault {
    std::string_view type;         // "cancel", "modify", "auth", "wait"
    std::string_view condition;    // of RFC 6120, section 8.3.3
    std::string_view text = {};
    std::string_view detail = {};  // an application's condition, and its namespace
    std::string_view detail_space = {};
    std::string_view feature = {}; // attribute of the detail, for pubsub's "unsupported"
};

// The result of an iq, with nothing in it yet: from and to turned around. Without a `to` in the
// request the result has no `from`.
[[nodiscard]] xml::element result_of(const xml::element& request);
// The error for any stanza. Never for one that is an error or a result itself (may_be_answered).
[[nodiscard]] xml::element error_of(const xml::element& request, const stanza_fault& what);
[[nodiscard]] bool may_be_answered(const xml::element& stanza) noexcept;

// "get", "set" or empty, when the element is an iq that asks.
[[nodiscard]] std::string_view asks(const xml::element& stanza) noexcept;
// The payload of an iq that asks, when it is this element; else null.
[[nodiscard]] const xml::element* query(const xml::element& iq, std::string_view space, std::string_view name) noexcept;

}  // namespace mbusd::xmpp
