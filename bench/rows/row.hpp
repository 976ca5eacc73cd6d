// One line of the table: what was done, by whom, and what came out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/drive.hpp"

namespace bench {

// A measured value with its unit: "/s", "ns", "us", "ms", "KB", "MB", "" for a number.
struct figure {
    std::string name;
    double value = 0;
    std::string unit;
};

// aside: stands in the table, but does another job than mbusd and is not what mbusd is compared with.
enum class kind : std::uint8_t { floor, mbusd, peer, aside };

struct row {
    std::string id;       // "local-1-1/nats": the work, then the subject
    std::string work;     // "local, 1 to 1, 64 octets, bursts"
    std::string subject;  // "NATS"
    kind what = kind::mbusd;
    std::vector<figure> figures{};  // the first is the result, the rest says more
    std::string note{};             // why there are no figures, or what to know
    double seconds = 0;             // that measuring took

    [[nodiscard]] std::string_view work_id() const { return std::string_view{id}.substr(0, id.find('/')); }
    [[nodiscard]] std::optional<double> value(std::string_view name) const {
        for (const auto& each : figures)
            if (each.name == name) return each.value;
        return std::nullopt;
    }
};

// A row that has not been measured yet; `measure` throws not_available where it can't be.
struct job {
    row about;
    std::function<std::vector<figure>(const effort&)> measure;
};

// What every row of one subject shares.
struct contestant {
    std::string id;
    std::string title;
    kind what = kind::mbusd;
    subject_maker make{};
};

[[nodiscard]] job throughput_job(const std::string& id, const std::string& work, const contestant& who,
                                 const load& offered);
[[nodiscard]] job round_trip_job(const std::string& id, const std::string& work, const contestant& who,
                                 bool one_core);

void add_local_jobs(std::vector<job>& jobs);
void add_network_jobs(std::vector<job>& jobs);
void add_websocket_jobs(std::vector<job>& jobs);
void add_gateway_jobs(std::vector<job>& jobs);
void add_xmpp_jobs(std::vector<job>& jobs, std::size_t subscribers);
void add_idle_jobs(std::vector<job>& jobs);
void add_discovery_jobs(std::vector<job>& jobs);
void add_growth_jobs(std::vector<job>& jobs);
void add_part_jobs(std::vector<job>& jobs);

}  // namespace bench
