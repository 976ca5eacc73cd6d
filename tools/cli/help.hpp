// --help, made from the option table.
//
// Thread-safety: pure functions.
#pragma once

#include <string>

#include "cli/option_table.hpp"

namespace mbus::tools {

[[nodiscard]] std::string help_text(const tool_spec& spec);

// "-r, --reliable" and "-W, --timeout TIME", as in the help and the manual.
[[nodiscard]] std::string option_heading(const option_spec& option);

}  // namespace mbus::tools
