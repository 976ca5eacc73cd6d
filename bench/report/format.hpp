// Figures as people read them, and the tables made of them: for the terminal and for docs/performance.md.
#pragma once

#include <string>

#include "report/run_report.hpp"

namespace bench {

[[nodiscard]] std::string number(double value);            // three significant digits: "0.42", "12.3", "4510"
[[nodiscard]] std::string formatted(const figure& value);  // "1.62 M/s", "12.3 us", "7.1 MB"

// One row as it is measured, for the terminal.
[[nodiscard]] std::string line_of(const row& one);
// The whole: every row with its ratios, then the targets.
[[nodiscard]] std::string table_of(const run_report& report);
// The same in Markdown.
[[nodiscard]] std::string markdown_of(const run_report& report);
// Puts it between the two marks of the file; throws when they are not there.
void update_docs(const std::string& file, const run_report& report);

}  // namespace bench
