// One sender to a hundred WebSocket subscribers that read and acknowledge, and do nothing else.
#include "peers/peers.hpp"
#include "rows/row.hpp"
#include "subjects/crowd.hpp"
#include "subjects/gateway.hpp"

namespace bench {
namespace {

// The driver counted messages that the whole crowd has; these are deliveries.
job of_crowd(job one) {
    one.measure = [measure = std::move(one.measure)](const effort& spend) {
        auto figures = measure(spend);
        for (auto& each : figures) {
            if (each.name == "rate" || each.name == "lost")
                each.value *= static_cast<double>(crowd_connections);
            else if (!each.name.ends_with("per look"))
                each.value /= static_cast<double>(crowd_connections);
        }
        return figures;
    };
    return one;
}

}  // namespace

void add_websocket_jobs(std::vector<job>& jobs) {
    std::vector<contestant> all{
        {"relay", "relay to 100 TCP connections", kind::floor, make_tcp_relay},
        {"mbusd", "mbusd, WebSocket", kind::mbusd, make_mbusd_websocket},
    };
    for (const auto& each : peer_systems())
        if (each.websocket) all.push_back({each.id, each.title + ", WebSocket", kind::peer, each.websocket});
    for (const auto& who : all)
        jobs.push_back(of_crowd(throughput_job(
            "websocket-100", "100 WebSocket subscribers, 256 octets, bursts", who, {.payload = 256})));
    for (const auto& who :
         {contestant{"cpp", "mbusd to C++ (libmbus-websocket)", kind::mbusd, make_gateway_to_cpp},
          contestant{"node", "mbusd to Node (@mbus/client)", kind::mbusd, make_gateway_to_node}})
        jobs.push_back(throughput_job("websocket-1", "one WebSocket subscriber, 64 octets, bursts", who, {}));
}

}  // namespace bench
