// The command line of mbus-send.
#pragma once

#include "cli/option_table.hpp"

namespace mbus::tools {

[[nodiscard]] const tool_spec& mbus_send_spec();

}  // namespace mbus::tools
