// The verbs of mbus, each with its command line and what it does; one file each.
#pragma once

#include <span>
#include <string_view>

#include "cli/program.hpp"

namespace mbus::tools {

struct verb {
    tool_spec spec;  // program: "mbus peers"
    tool_function run = nullptr;

    [[nodiscard]] std::string_view name() const noexcept { return spec.program.substr(spec.program.find(' ') + 1); }
};

[[nodiscard]] verb peers_verb();
[[nodiscard]] verb match_verb();
[[nodiscard]] verb ping_verb();
[[nodiscard]] verb call_verb();
[[nodiscard]] verb wait_verb();
[[nodiscard]] verb go_verb();
[[nodiscard]] verb quit_verb();
[[nodiscard]] verb key_verb();
[[nodiscard]] verb client_verb();
[[nodiscard]] verb cap_verb();
[[nodiscard]] verb check_verb();
[[nodiscard]] verb top_verb();
[[nodiscard]] verb link_verb();
[[nodiscard]] verb queue_verb();
[[nodiscard]] verb feed_verb();
[[nodiscard]] verb doctor_verb();
[[nodiscard]] verb config_verb();
[[nodiscard]] verb completion_verb();

// All of them, in the order of the help.
[[nodiscard]] std::span<const verb> all_verbs();

// `mbus VERB ...`: the words after the program's name.
exit_code run_mbus(std::span<const std::string> line);

}  // namespace mbus::tools
