// Entries between those who write them and those who read them: what the server adds on either way
// (RFC 4287; RFC 5023, sections 9.2, 9.3, 10.2 and 11.1; XEP-0277).
//
//     complete(entry, {.id = fresh_uuid(), .updated_ms = now, .author = {"ann", "xmpp:ann@bus.example"}});
//     auto shown = as_shown(entry, {.edit = member_uri, .edited_ms = edited, .alternate = "xmpp:..."});
//
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "xml/element.hpp"

namespace mbusd::atom {

struct person {
    std::string name{};
    std::string uri{};  // empty: none
};

// What the author may have left out; nothing that is there is changed.
struct additions {
    std::string id{};
    std::uint64_t updated_ms = 0;
    person author{};
};
void complete(xml::element& entry, const additions& with);

// What is said of an entry where it is shown, and is not part of it.
struct showing {
    std::string edit{};          // URI of the member
    std::uint64_t edited_ms = 0; // app:edited
    std::string alternate{};     // its address in XMPP; empty: none
    person author{};             // when neither the entry nor its source has one
};
[[nodiscard]] xml::element as_shown(const xml::element& entry, const showing& how);
// The way back: a client sends the entry as it was shown to it.
void without_showing(xml::element& entry, const showing& how);

// An entry whose id is another one is another entry (RFC 4287, section 4.2.6).
void keep_id(xml::element& entry, const xml::element& before);

// As plain text; of html and xhtml the text without its tags. At most `octets_max`, whole characters.
[[nodiscard]] std::string title_of(const xml::element& entry, std::size_t octets_max);

// What to tell people of it: the title, and below it the link to where it can be read.
[[nodiscard]] std::string announcement_of(const xml::element& entry, std::size_t octets_max);

// "urn:uuid:..." of 16 random octets (RFC 9562, version 4).
[[nodiscard]] std::string uuid_urn(std::string_view random_octets);

// "A day at the sea" (RFC 5023, section 9.7: percent-encoded UTF-8) as "a-day-at-the-sea"; empty when
// nothing of it is left.
[[nodiscard]] std::string id_from_slug(std::string_view slug);

}  // namespace mbusd::atom
