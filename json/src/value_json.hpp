// From a JSON document to values, commands and addresses. `path` is the JSON pointer of the node,
// for error texts; it grows and shrinks with the descent.
//
// Thread-safety: pure functions.
#pragma once

#include <string>

#include <mbus/address.hpp>
#include <mbus/command.hpp>
#include <mbus/result.hpp>
#include <mbus/value.hpp>

#include "document.hpp"

namespace mbus::json {

result<value> value_from(const node& what, std::string& path, std::size_t depth = 0);
result<command> command_from(const node& what, std::string& path);
result<address> address_from(const node& what, const std::string& path);

// "/cmds/0: expected a string, not a number"
error misplaced(errc code, const std::string& path, const std::string& expected, const node& found);
error at_path(errc code, const std::string& path, const std::string& text);

}  // namespace mbus::json
