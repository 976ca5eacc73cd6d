// What an Atom entry must hold (RFC 4287, section 4.1.2), and a sentence for what is wrong with one.
//
//     if (auto wrong = entry_fault(payload)) refuse(*wrong);   // "an entry has exactly one title; this one has none"
//
// An author may be missing, since the feed has one; so may a link rel="alternate", since whoever shows
// the entry adds one. Markup of other namespaces is none of our business (section 6).
// Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string>

#include "xml/element.hpp"

namespace mbusd::atom {

[[nodiscard]] bool is_entry(const xml::element& what) noexcept;

// Nothing: it is an entry by the rules.
[[nodiscard]] std::optional<std::string> entry_fault(const xml::element& entry);

}  // namespace mbusd::atom
