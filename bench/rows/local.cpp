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

const std::vector<local_work>& throughputs() {
    static const std::vector<local_work> all{
        {"local-1-1", "local, 1 to 1, 64 octets, bursts", {.payload = 64, .readers = 1, .how = offering::bursts}},
        {"local-1-16", "local, 1 to 16, 64 octets, bursts", {.payload = 64, .readers = 16, .how = offering::bursts}},
        {"local-1k", "local, 1 to 1, 1 KiB, bursts", {.payload = 1024, .readers = 1, .how = offering::bursts}},
        {"local-single", "local, 1 to 1, 64 octets, singly", {.payload = 64, .readers = 1, .how = offering::single}},
        {"local-paced", "local, 1 to 1, 64 octets, 10 000/s", {.payload = 64, .readers = 1, .how = offering::paced}},
    };
    return all;
}

struct local_subject {
    std::string id;
    std::string title;
    subject_maker make;
};

subject_maker mbusd_with(const mbusd_use& use) {
    return [use](const subject_plan& plan) { return make_mbusd(plan, use); };
}

std::vector<local_subject> local_subjects() {
    std::vector<local_subject> all{
        {"relay", "relay of octets (floor)", make_relay},
        {"stream", "Unix stream (floor)", make_unix_stream},
        {"mbusd", "mbusd", mbusd_with({})},
        {"mbusd-windowed", "mbusd, windowed", mbusd_with({.window = 4096})},
        {"mbusd-reliable", "mbusd, reliable", mbusd_with({.window = 4096, .reliable = true})},
    };
    for (const auto& each : peer_systems())
        if (each.local) all.push_back({each.id, each.title, each.make});
    return all;
}

}  // namespace

void add_local_jobs(std::vector<job>& jobs) {
    const auto subjects = local_subjects();
    const auto add_to = [&](const local_subject& who, const local_work& what) {
        jobs.push_back(throughput_job(std::string{what.id} + "/" + who.id, what.title, who.title, who.make, what.offered));
    };
    for (const auto& what : throughputs())
        for (const auto& who : subjects) add_to(who, what);
    for (const bool one_core : {false, true}) {
        for (const auto& who : subjects)
            jobs.push_back(round_trip_job(std::string{one_core ? "round-trip-one-core/" : "round-trip/"} + who.id,
                                          one_core ? "local round trip, 64 octets, one core" : "local round trip, 64 octets",
                                          who.title, who.make, 64, one_core));
    }
}

}  // namespace bench
