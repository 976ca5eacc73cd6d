// Data forms (XEP-0004), as far as publish-subscribe needs them.
// Thread-safety: pure functions.
#pragma once

#include <span>
#include <string_view>

#include "pubsub/node_config.hpp"
#include "xml/element.hpp"

namespace mbusd::xmpp {

// The fields of `<x xmlns='jabber:x:data'>`: every value of each, in order.
[[nodiscard]] pubsub::form_fields fields_of(const xml::element& form);
// True for a form that cancels.
[[nodiscard]] bool cancels(const xml::element& form);
// An empty form of the type "form", "result" or "submit" with its FORM_TYPE.
[[nodiscard]] xml::element new_form(std::string_view type, std::string_view form_type);
// Adds a field; values that are empty texts are added too. An empty `type` leaves it out.
xml::element& add_field(xml::element& form, std::string_view name, std::string_view type, std::string_view label,
                        std::string_view value);

// The configuration of a node to be filled in.
[[nodiscard]] xml::element config_form(const pubsub::node_config& config);

}  // namespace mbusd::xmpp
