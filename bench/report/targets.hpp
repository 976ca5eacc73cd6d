// What mbusd has to reach, as ratios and rates within one run, and whether it did.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rows/row.hpp"

namespace bench {

enum class verdict : std::uint8_t { reached, missed, unknown };
[[nodiscard]] std::string_view to_string(verdict which) noexcept;

struct judgement {
    std::string work;
    std::string must;                // "at least 0.4 of the relay of octets"
    std::string found;               // "0.52 (6.1 of 11.7 M/s)"
    verdict how = verdict::unknown;  // unknown: a row is missing
};

[[nodiscard]] std::vector<judgement> judge(const std::vector<row>& rows);

}  // namespace bench
