// Reads mbusd.toml and the files of conf.d beside it, and checks them against the key table.
//
//     auto read = read_config("/etc/mbusd/mbusd.toml", must_exist::no);
//     for (const auto& problem : read.problems) print(problem.text);   // "mbusd.toml:14: unknown ..."
//     if (read.problems.empty()) use(read.values);
//
// All problems are found in one go. Nothing here changes any state, so a reload can read first and
// decide afterwards.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config/settings.hpp"

namespace mbusd {

inline constexpr const char* default_config_file = "/etc/mbusd/mbusd.toml";
// Real files have a few kilobytes; larger ones are a mistake such as a log file.
inline constexpr std::uintmax_t config_file_octets_max = 1024 * 1024;

enum class must_exist : bool { no, yes };

// A fault in a file. `text` is one line: file, line, what was expected, how to fix it.
struct config_problem {
    std::string text;
};

struct config_reading {
    settings values;
    std::map<std::string, std::string, std::less<>> origins;  // key -> "file:line"; absent: default
    std::vector<std::filesystem::path> files;                 // in the order in which they were read
    std::vector<config_problem> problems;                     // empty: `values` may be used
};

// Later files win over earlier ones; their [[rights]] rules add up.
config_reading read_config(const std::filesystem::path& file, must_exist existence);

// The same for a text, for instance in tests; `name` stands in problems and origins.
void read_config_text(config_reading& into, std::string_view text, const std::string& name);

// Sets one key from the command line; the origin is the option. Problems name the option.
void override_setting(config_reading& into, std::string_view key, std::string_view value, const std::string& option);

}  // namespace mbusd
