// What a reload of the configuration changes: all of it, or nothing.
//
//     auto plan = plan_reload(running, read_config(file, must_exist::no));
//     for (const auto& line : plan.refusals) log_error(line);
//     if (plan.refusals.empty()) { running = plan.values; for (auto& line : plan.changes) log(line); }
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "config/config_file.hpp"

namespace mbusd {

struct reload_plan {
    settings values;                    // to be used when there is no refusal
    std::vector<std::string> changes;   // "log.level: \"info\" -> \"debug\""
    std::vector<std::string> refusals;  // faults of the files, and changes that need a restart
};

reload_plan plan_reload(const settings& running, const config_reading& fresh);

}  // namespace mbusd
