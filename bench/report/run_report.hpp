// What one run found, as JSON and back.
#pragma once

#include <string>
#include <vector>

#include "rows/row.hpp"

namespace bench {

// Where and when it was measured.
struct circumstances {
    std::string date{};
    std::string processor{};
    unsigned cores = 0;
    std::string kernel{};
    std::string system{};
    std::string compiler{};
    bool quick = false;
};

struct run_report {
    circumstances where;
    std::vector<row> rows;
};

[[nodiscard]] circumstances present_circumstances();
[[nodiscard]] std::string to_json(const run_report& report);
// Throws when the text is not what to_json() writes.
[[nodiscard]] run_report report_from_json(const std::string& text);

}  // namespace bench
