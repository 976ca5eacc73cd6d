#include "rows/row.hpp"

namespace bench {
namespace {

row about(const std::string& id, const std::string& work, const contestant& who) {
    return {.id = id + "/" + who.id, .work = work, .subject = who.title, .what = who.what};
}

}  // namespace

job throughput_job(const std::string& id, const std::string& work, const contestant& who,
                   const load& offered) {
    return {.about = about(id, work, who), .measure = [make = who.make, offered](const effort& spend) {
                const auto what = measure_throughput(make, offered, spend);
                std::vector<figure> out{{"rate", what.rate, "/s"},
                                        {"lost", static_cast<double>(what.lost), ""},
                                        {"cpu publisher", what.cpu.publisher, "ns"},
                                        {"cpu server", what.cpu.server, "ns"},
                                        {"cpu subscriber", what.cpu.subscriber, "ns"}};
                if (what.system_calls) {
                    out.push_back({"calls publisher", what.system_calls->publisher, ""});
                    out.push_back({"calls server", what.system_calls->server, ""});
                    out.push_back({"calls subscriber", what.system_calls->subscriber, ""});
                }
                const auto add = [&](const char* name, const std::optional<double>& value) {
                    if (value) out.push_back({name, *value, ""});
                };
                add("allocations", what.allocations);
                add("reads per look", what.reads_per_look);
                add("writes per look", what.writes_per_look);
                return out;
            }};
}

job round_trip_job(const std::string& id, const std::string& work, const contestant& who, bool one_core) {
    return {.about = about(id, work, who), .measure = [make = who.make, one_core](const effort& spend) {
                constexpr std::size_t payload = 64;
                const auto what = measure_round_trip(make, payload, one_core, spend);
                return std::vector<figure>{{"p50", what.p50, "us"},
                                           {"p99", what.p99, "us"},
                                           {"p99.9", what.p999, "us"},
                                           {"lost", static_cast<double>(what.lost), ""}};
            }};
}

}  // namespace bench
