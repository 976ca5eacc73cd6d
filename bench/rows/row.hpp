// One line of the table: what was done, by whom, and what came out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/drive.hpp"

namespace bench {

// A measured value with the unit it is shown in.
struct figure {
    std::string name;  // "rate", "p50", "resident 1000"
    double value = 0;
    std::string unit;  // "/s", "us", "MB", "ns"
};

struct row {
    std::string work;     // "local 1 to 1, 64 octets, bursts"
    std::string subject;  // "mbusd", "NATS", "relay (floor)"
    std::vector<figure> figures{};
    std::string note{};   // why it was skipped, or what to know
    [[nodiscard]] std::optional<double> value(const std::string& name) const {
        for (const auto& each : figures)
            if (each.name == name) return each.value;
        return std::nullopt;
    }
};

// What can be asked for on the command line.
struct request {
    effort spend{};
    bool quick = false;
};

// A row that has not run yet; `run` fills figures or throws not_available.
struct job {
    std::string id;  // "local-1-1/mbusd", for --only and --list
    std::string work;
    std::string subject;
    std::function<std::vector<figure>(const request&)> run;
};

void add_local_jobs(std::vector<job>& jobs);

// The jobs of one subject over one load.
job throughput_job(std::string id, std::string work, std::string subject, subject_maker make, const load& offered);
job round_trip_job(std::string id, std::string work, std::string subject, subject_maker make, std::size_t payload, bool one_core);

}  // namespace bench
