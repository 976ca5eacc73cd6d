// Completion for bash, made from the option tables of all tools.
//
// Thread-safety: pure functions.
#pragma once

#include <span>
#include <string>

#include "cli/option_table.hpp"

namespace mbus::tools {

// The script; `programs` are single tools, `verbs` those of mbus ("mbus peers").
[[nodiscard]] std::string bash_completion(std::span<const tool_spec> programs, std::span<const tool_spec> verbs);

}  // namespace mbus::tools
