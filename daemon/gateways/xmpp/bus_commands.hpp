// Commands of the bus as XML: `<command xmlns='urn:x-mbus:1' name='player.play'>` with typed arguments
// (docs/xmpp.md).
//
//     auto read = commands_in(message);          // of its <command/> children, or of its <body/>
//     add_commands(message, *commands);          // <body/> and <command/>
//
// Thread-safety: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mbus/command.hpp>
#include <mbus/result.hpp>

#include "xml/element.hpp"

namespace mbusd::xmpp {

// One `<command/>`. Errors: bad_command with a sentence that names the place.
[[nodiscard]] mbus::result<mbus::command> command_of(const xml::element& from);
[[nodiscard]] xml::element element_of(const mbus::command& from);
void add_values(xml::element& to, std::span<const mbus::value> values);

// True when a message says something to the bus: it has a <command/> or a <body/>.
[[nodiscard]] bool has_commands(const xml::element& message);
// The commands of a message as the bus writes them. Its <command/> elements count if there are any; a
// <body/> beside them is for people. Errors: bad_command, for a body with the offset into it.
[[nodiscard]] mbus::result<std::string> commands_in(const xml::element& message);
// A <body/> in the syntax of RFC 3259 and a <command/> for each. `commands` are of the bus.
void add_commands(xml::element& message, std::string_view commands);

}  // namespace mbusd::xmpp
