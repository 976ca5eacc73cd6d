#include "rows/row.hpp"

namespace bench {

job throughput_job(std::string id, std::string work, std::string subject, subject_maker make, const load& offered) {
    return {.id = std::move(id), .work = std::move(work), .subject = std::move(subject), .run = [make = std::move(make), offered](const request& asked) {
                const auto what = measure_throughput(make, offered, asked.spend);
                std::vector<figure> out{{"rate", what.rate, "/s"},
                                        {"lost", static_cast<double>(what.lost), ""},
                                        {"cpu publisher", what.cpu.publisher, "ns"},
                                        {"cpu server", what.cpu.server, "ns"},
                                        {"cpu subscriber", what.cpu.subscriber, "ns"},
                                        {"cpu", what.cpu.all(), "ns"}};
                if (what.system_calls) {
                    out.push_back({"calls publisher", what.system_calls->publisher, ""});
                    out.push_back({"calls server", what.system_calls->server, ""});
                    out.push_back({"calls subscriber", what.system_calls->subscriber, ""});
                }
                return out;
            }};
}

job round_trip_job(std::string id, std::string work, std::string subject, subject_maker make, std::size_t payload, bool one_core) {
    return {.id = std::move(id), .work = std::move(work), .subject = std::move(subject), .run = [make = std::move(make), payload, one_core](const request& asked) {
                const auto what = measure_round_trip(make, payload, one_core, asked.spend);
                return std::vector<figure>{{"p50", what.p50, "us"},
                                           {"p99", what.p99, "us"},
                                           {"p99.9", what.p999, "us"},
                                           {"lost", static_cast<double>(what.lost), ""}};
            }};
}

}  // namespace bench
