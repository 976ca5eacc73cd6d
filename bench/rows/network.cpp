// Two daemons and a network between them, beside the floor and the systems that use multicast.
#include "peers/peers.hpp"
#include "rows/row.hpp"
#include "subjects/mbusd_net.hpp"
#include "subjects/udp_floor.hpp"

namespace bench {
namespace {

contestant floor_of(const char* id, const char* title, const udp_floor_use& use) {
    return {id, title, kind::floor, [use](const subject_plan& plan) { return make_udp_floor(plan, use); }};
}

contestant mbusd_of(const char* id, const char* title, const mbusd_net_use& use) {
    return {id, title, kind::mbusd, [use](const subject_plan& plan) { return make_mbusd_net(plan, use); }};
}

std::vector<contestant> contestants_on(span where) {
    std::vector<contestant> all{
        floor_of("relays-segmented", "relays + HMAC, segmented",
                 {.where = where, .segmented = true, .relays = true}),
        floor_of("relays-single", "relays + HMAC, single", {.where = where, .relays = true}),
        floor_of("udp-segmented", "UDP + HMAC, segmented", {.where = where, .segmented = true}),
        floor_of("udp-single", "UDP + HMAC, single", {.where = where}),
        mbusd_of("mbusd-sha1", "mbusd, SHA-1", {.where = where}),
        mbusd_of("mbusd-aes", "mbusd, SHA-1 and AES", {.where = where, .keys = bus_profile::sha1_aes}),
        mbusd_of("mbusd-modern", "mbusd, modern profile", {.where = where, .keys = bus_profile::modern}),
    };
    for (const auto& each : peer_systems())
        if (each.multicast)
            all.push_back(
                {each.id, each.title, kind::peer, [make = each.multicast, where](const subject_plan& plan) {
                     auto place = std::make_shared<network>(where);
                     auto made = make(plan, place->interface());
                     return on_network(std::move(place), std::move(made));
                 }});
    return all;
}

}  // namespace

void add_network_jobs(std::vector<job>& jobs) {
    for (const auto where : {span::loopback, span::veth}) {
        const std::string name = where == span::loopback ? "loopback" : "veth";
        const auto all = contestants_on(where);
        for (const auto& who : all)
            jobs.push_back(
                throughput_job(name + "-1-1", name + ", multicast, 1 to 1, 64 octets, bursts", who, {}));
        for (const auto& who : all)
            jobs.push_back(round_trip_job(name + "-round-trip-one-core",
                                          name + ", multicast round trip, 64 octets, one core", who, true));
    }
}

}  // namespace bench
