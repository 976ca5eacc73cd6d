// One host, one server in the middle: the same loads for mbusd, the floor and every peer.
#include "peers/peers.hpp"
#include "rows/row.hpp"
#include "subjects/mbusd.hpp"
#include "subjects/relay.hpp"

namespace bench {
namespace {

struct local_work {
    const char* id;
    const char* title;
    load offered;
};

constexpr local_work works[] = {
    {"local-1-1", "local, 1 to 1, 64 octets, bursts", {.payload = 64, .readers = 1, .how = offering::bursts}},
    {"local-1-16",
     "local, 1 to 16, 64 octets, bursts",
     {.payload = 64, .readers = 16, .how = offering::bursts}},
    {"local-1k", "local, 1 to 1, 1 KiB, bursts", {.payload = 1024, .readers = 1, .how = offering::bursts}},
    {"local-single",
     "local, 1 to 1, 64 octets, singly",
     {.payload = 64, .readers = 1, .how = offering::single}},
    {"local-paced",
     "local, 1 to 1, 64 octets, 10 000/s",
     {.payload = 64, .readers = 1, .how = offering::paced}},
};

subject_maker mbusd_with(const mbusd_use& use) {
    return [use](const subject_plan& plan) { return make_mbusd(plan, use); };
}

bool takes_part(const contestant& who, const load& offered) {
    // One stream has one reader; a reliable message goes to exactly one entity.
    return offered.readers == 1 || (who.id != "stream" && who.id != "mbusd-reliable");
}

std::vector<contestant> contestants() {
    std::vector<contestant> all{
        {"relay", "relay of octets", kind::floor, make_relay},
        {"stream", "Unix stream, no relay", kind::floor, make_unix_stream},
        {"mbusd", "mbusd", kind::mbusd, mbusd_with({})},
        {"mbusd-windowed", "mbusd, windowed", kind::mbusd, mbusd_with({.window = 4096})},
        {"mbusd-reliable", "mbusd, reliable", kind::mbusd, mbusd_with({.window = 4096, .reliable = true})},
        {"mbusd-bus", "mbusd, also on the bus", kind::mbusd, mbusd_with({.full_address = false})},
    };
    for (const auto& each : peer_systems())
        if (each.local)
            all.push_back({each.id, each.title, each.direct ? kind::aside : kind::peer, each.local});
    return all;
}

}  // namespace

void add_local_jobs(std::vector<job>& jobs) {
    const auto all = contestants();
    for (const auto& work : works)
        for (const auto& who : all)
            if (takes_part(who, work.offered) && (who.id != "mbusd-bus" || work.offered.readers == 1))
                jobs.push_back(throughput_job(work.id, work.title, who, work.offered));
    for (const auto& who : all)
        if (who.id != "mbusd-reliable")
            jobs.push_back(round_trip_job("round-trip", "local round trip, 64 octets", who, false));
    for (const auto& who : all)
        if (who.id != "mbusd-reliable")
            jobs.push_back(
                round_trip_job("round-trip-one-core", "local round trip, 64 octets, one core", who, true));
}

}  // namespace bench
