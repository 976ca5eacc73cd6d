// Writes elements as text that parses by itself: every namespace is declared where it is needed, as
// the default one for elements.
//
//     std::string out;
//     append(out, stanza);                                   // <message xmlns="jabber:client" …>
//     append(out, features, {.prefix = "stream"});           // <stream:features xmlns:stream="…">
//     append(out, stanza, {.inherited = "jabber:client"});   // inside a stream that declares it
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "xml/element.hpp"

namespace mbusd::xml {

struct writing {
    // The default namespace that is in force where the element will stand; it is not declared again.
    std::string_view inherited{};
    // Of the outermost element, and declared on it; empty: none.
    std::string_view prefix{};
    // The prefix is declared already where the element will stand.
    bool prefix_declared = false;
    // `<close … />` instead of `<close …/>`: Strophe compares that one literally.
    bool blank_before_slash = false;
};

void append(std::string& out, const element& what, const writing& how = {});
[[nodiscard]] std::string to_text(const element& what, const writing& how = {});

// Text with '<', '>', '&' and quotes written as entities; what XML 1.0 can't hold becomes U+FFFD.
void append_escaped(std::string& out, std::string_view text);

}  // namespace mbusd::xml
