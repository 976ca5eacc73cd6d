// Other message systems, from Debian's packages, each used through its own client library as its manual
// recommends. A peer whose library was not there when the benchmark was built, or whose server is not
// installed, is skipped by name (not_available).
#pragma once

#include <string>
#include <vector>

#include "harness/subject.hpp"

namespace bench {

// For systems that use multicast: the device they use.
using multicast_maker =
    std::function<std::unique_ptr<subject>(const subject_plan&, const std::string& interface)>;

struct peer_system {
    std::string id;               // "nats"
    std::string title;            // "NATS"
    subject_maker local{};        // on one host with a server in the middle; null: not its way
    multicast_maker multicast{};  // without a server
    subject_maker websocket{};    // a crowd of subscribers over WebSocket
    bool direct = false;          // `local` has no server in the middle after all
};

[[nodiscard]] std::vector<peer_system> peer_systems();

// The makers of the single systems; each in its own file.
std::unique_ptr<subject> make_nats(const subject_plan& plan);
std::unique_ptr<subject> make_nats_websocket(const subject_plan& plan);
std::unique_ptr<subject> make_zeromq(const subject_plan& plan);         // through a proxy
std::unique_ptr<subject> make_zeromq_direct(const subject_plan& plan);  // without one
std::unique_ptr<subject> make_dbus_broker(const subject_plan& plan);
std::unique_ptr<subject> make_dbus_daemon(const subject_plan& plan);
std::unique_ptr<subject> make_mosquitto(const subject_plan& plan, int quality);
std::unique_ptr<subject> make_mosquitto_websocket(const subject_plan& plan);
std::unique_ptr<subject> make_cyclone(const subject_plan& plan, const std::string& interface);
std::unique_ptr<subject> make_lcm(const subject_plan& plan);

}  // namespace bench
