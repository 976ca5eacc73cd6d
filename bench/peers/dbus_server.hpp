// A message bus of D-Bus for this benchmark alone: dbus-daemon, or dbus-broker with its launcher.
#pragma once

#include <memory>
#include <string>

#include "harness/scratch.hpp"

namespace bench {

class dbus_server {
public:
    virtual ~dbus_server() = default;
    dbus_server(const dbus_server&) = delete;
    dbus_server& operator=(const dbus_server&) = delete;
    [[nodiscard]] virtual pid_t id() const = 0;  // of the process that routes
    [[nodiscard]] std::string address() const { return "unix:path=" + directory_ / "bus"; }

protected:
    // Writes the configuration; everything is allowed.
    dbus_server();
    scratch_directory directory_;
    std::string configuration_;
};

[[nodiscard]] std::unique_ptr<dbus_server> start_dbus_daemon();
[[nodiscard]] std::unique_ptr<dbus_server> start_dbus_broker();

}  // namespace bench
