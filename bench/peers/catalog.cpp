#include "peers/peers.hpp"

#include <utility>

// Each MBUS_BENCH_* is 1 when its library was found (bench/whole.cmake).
namespace bench {
namespace {

[[maybe_unused]] subject_maker without(const char* package) {
    return [package](const subject_plan&) -> std::unique_ptr<subject> {
        throw not_available(std::string{"built without "} + package);
    };
}

[[maybe_unused]] multicast_maker on_any(subject_maker make) {
    return [make = std::move(make)](const subject_plan& plan, const std::string&) { return make(plan); };
}

}  // namespace

std::vector<peer_system> peer_systems() {
    std::vector<peer_system> all;
#if MBUS_BENCH_NATS
    all.push_back({"nats", "NATS", make_nats, nullptr, make_nats_websocket});
#else
    all.push_back({"nats", "NATS", without("libnats-dev")});
#endif
#if MBUS_BENCH_ZEROMQ
    all.push_back({"zeromq", "ZeroMQ proxy", make_zeromq});
    all.push_back(
        {.id = "zeromq-direct", .title = "ZeroMQ, no proxy", .local = make_zeromq_direct, .direct = true});
#else
    all.push_back({"zeromq", "ZeroMQ", without("libzmq3-dev")});
#endif
#if MBUS_BENCH_DBUS
    all.push_back({"dbus-broker", "dbus-broker", make_dbus_broker});
    all.push_back({"dbus-daemon", "dbus-daemon", make_dbus_daemon});
#else
    all.push_back({"dbus", "D-Bus", without("libsystemd-dev")});
#endif
#if MBUS_BENCH_MOSQUITTO
    for (const int quality : {0, 1}) {
        const auto number = std::to_string(quality);
        all.push_back({"mosquitto-" + number, "mosquitto QoS " + number,
                       [quality](const subject_plan& plan) { return make_mosquitto(plan, quality); }, nullptr,
                       quality == 0 ? subject_maker{make_mosquitto_websocket} : subject_maker{}});
    }
#else
    all.push_back({"mosquitto", "mosquitto", without("libmosquitto-dev")});
#endif
#if MBUS_BENCH_CYCLONE
    all.push_back({"cyclone", "Cyclone DDS, batched", nullptr, make_cyclone});
#else
    all.push_back({"cyclone", "Cyclone DDS", nullptr, on_any(without("cyclonedds-dev, cyclonedds-tools"))});
#endif
#if MBUS_BENCH_LCM
    all.push_back({"lcm", "LCM", nullptr, on_any(make_lcm)});
#else
    all.push_back({"lcm", "LCM", nullptr, on_any(without("liblcm-dev"))});
#endif
    return all;
}

}  // namespace bench
