// Random values, commands and messages for rapidcheck, every one of which Mbus can carry.
#pragma once

#include <mbus_json/message_json.hpp>
#include <rapidcheck.h>

namespace mbus::json::testing {

rc::Gen<std::string> symbol_names();
rc::Gen<std::string> utf8_texts();
rc::Gen<value> values(int depth = 3);
rc::Gen<command> commands();
rc::Gen<address> addresses();
rc::Gen<message_record> records();

}  // namespace mbus::json::testing
