// Entity tags (RFC 9110, section 8.8.3): strong ones of what is stored, and what If-Match and
// If-None-Match ask.
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "pubsub/types.hpp"

namespace mbusd {

// Another one for every publish, whoever does it and whatever is in it.
[[nodiscard]] std::string entity_tag(const pubsub::item& of);
// Of a document that is made anew for each reader.
[[nodiscard]] std::string entity_tag(std::string_view document);

// True when the list names `tag`, or is "*". `weakly`: W/ does not matter (If-None-Match).
[[nodiscard]] bool lists_tag(std::string_view list, std::string_view tag, bool weakly) noexcept;

}  // namespace mbusd
