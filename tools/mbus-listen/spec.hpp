// The command line of mbus-listen.
#pragma once

#include "cli/option_table.hpp"

namespace mbus::tools {

[[nodiscard]] const tool_spec& mbus_listen_spec();

}  // namespace mbus::tools
