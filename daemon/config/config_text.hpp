// The configuration as text: for --print-config, for --help, and for the manual.
//
// Thread-safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config_file.hpp"

namespace mbusd {

// mbusd.toml with every key, each line ending in a comment that names its origin:
//     families = "auto"    # default
// Reading it back gives the same settings.
std::string print_config(const config_reading& reading);

// The table of keys as "markdown" (docs/configuration.md), "scdoc" (mbusd.toml(5)) or "text"
// (one key a line); nothing for another form.
std::optional<std::string> dump_keys(std::string_view form);

}  // namespace mbusd
