// The daemon as a whole: bus, router and local socket, wired by hand, from start to orderly end.
//
//     service daemon{reading, command line};   // throws with one sentence when it can't start
//     return daemon.run();
//
// Not thread-safe; run() returns after SIGTERM or SIGINT.
#pragma once

#include <memory>

#include "config/command_line.hpp"
#include "protocol/envelope.hpp"
#include "protocol/session_config.hpp"

namespace mbusd {

// What the key file says, with bus.scope applied. Throws std::runtime_error.
mbus::protocol::session_config load_session(const settings& values, std::string& path);

// Seals and opens as bus.compat demands.
mbus::result<mbus::protocol::envelope> make_envelope(const settings& values, const mbus::protocol::session_config& session);

class service {
public:
    service(config_reading configuration, command_line asked);
    ~service();
    service(const service&) = delete;
    service& operator=(const service&) = delete;

    int run();

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace mbusd
