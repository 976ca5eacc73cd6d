// The command line of mbusd.
//
//     auto asked = parse_command_line(argc, argv);
//     if (asked.exit_code) { print asked.text; return *asked.exit_code; }
//
// Thread-safety: a pure function.
#pragma once

#include <optional>
#include <string>

#include "config/config_file.hpp"

namespace mbusd {

inline constexpr int exit_failed = 1;  // at start, with one clear line
inline constexpr int exit_usage = 2;

struct command_line {
    std::string config_file = default_config_file;
    must_exist config_existence = must_exist::no;  // yes when the option names it
    bool check = false;
    bool print_config = false;
    std::string socket;
    std::string key_file;
    std::string scope;
    std::string dump_keys;

    // Set for --help, --version and wrong usage: print `text` (to stdout when 0) and leave.
    std::optional<int> exit_code;
    std::string text;
};

command_line parse_command_line(int argc, const char* const* argv, const std::string& version);

// The file and the options that go before it.
config_reading read_config(const command_line& asked);

}  // namespace mbusd
