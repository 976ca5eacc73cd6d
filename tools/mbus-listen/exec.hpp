// Runs a shell command for one message. Its data go through the environment and stdin, never
// through the text of the command, so nothing of a message is ever read as shell.
//
// Thread-safety: one thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <mbus/events.hpp>
#include <mbus/result.hpp>

#include "cli/signals.hpp"

namespace mbus::tools {

// MBUS_SOURCE, MBUS_DESTINATION, MBUS_ENTITY, MBUS_TYPE, MBUS_TIME, and of the first command
// MBUS_COMMAND and MBUS_ARGUMENTS.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> exec_environment(const received_message& message);

// Waits for it. The status of the shell, 128 + number when a signal ended it. A signal to this
// program is passed on. Errors: internal with the system's reason.
result<int> run_for_message(const std::string& shell_command, const received_message& message, const signals& events);

}  // namespace mbus::tools
