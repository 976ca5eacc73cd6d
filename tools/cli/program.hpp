// The frame of every tool: reads the command line, answers --help and --version, prints usage errors.
//
//     int main(int argc, char** argv) { return run_main(mbus_send_spec(), run_mbus_send, argc, argv); }
//
// Thread-safety: one thread.
#pragma once

#include <span>
#include <string>

#include "cli/arguments.hpp"
#include "cli/exit_code.hpp"
#include "cli/option_table.hpp"
#include "cli/output.hpp"

namespace mbus::tools {

using tool_function = exit_code (*)(const arguments& args, output& out);

// Runs the tool on the words after its name.
exit_code run_tool(const tool_spec& spec, tool_function tool, std::span<const std::string> line);

// For main(), first: a standard stream that the caller closed must not become the number of our
// socket, else what is printed goes to the daemon. Held so that its use fails as it does when closed.
void hold_standard_streams();

// For main(): the same with C's arguments. An exception that got this far becomes status 1.
int run_main(const tool_spec& spec, tool_function tool, int argc, char** argv);

// "mbus-send: TEXT" and where to read more; gives exit_code::usage.
exit_code usage_failure(const output& out, const error& failure);

// "mbus-send 0.1.0"
[[nodiscard]] std::string version_line(std::string_view program);

}  // namespace mbus::tools
