// The connections that gateways have accepted, before and while they carry a session: who is at the
// other end and what they may do.
//
//     auto id = connections.add(identity, &port);
//     broker_connection connection{port, router, settings, {.id = id}, now};   // connect_request::connection
//     connections.remove(id);
//
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "config/rights.hpp"
#include "mbws/connection_port.hpp"

namespace mbusd {

// Shared by a connection and the session that it opens; the rights also by all connections of a user
// in the same groups. Without rights it is not known yet who connects: `connect` must say it (field
// `auth`).
struct peer_identity {
    user_identity user;
    std::shared_ptr<const granted_rights> rights;
};

class connection_registry {
public:
    // `port` outlives the connection's place here.
    std::uint64_t add(std::shared_ptr<const peer_identity> who, const mbus::mbws::connection_port* port) {
        connections_.emplace(++last_, connection{std::move(who), port});
        return last_;
    }
    void remove(std::uint64_t id) { connections_.erase(id); }
    // Null when there is no such connection (any more).
    [[nodiscard]] std::shared_ptr<const peer_identity> find(std::uint64_t id) const {
        const auto found = connections_.find(id);
        return found == connections_.end() ? nullptr : found->second.who;
    }
    // Octets that wait for the connection to be written; 0 when there is none.
    [[nodiscard]] std::size_t waiting(std::uint64_t id) const noexcept {
        const auto found = connections_.find(id);
        return found == connections_.end() || found->second.port == nullptr ? 0 : found->second.port->waiting();
    }
    [[nodiscard]] std::size_t size() const noexcept { return connections_.size(); }

private:
    struct connection {
        std::shared_ptr<const peer_identity> who;
        const mbus::mbws::connection_port* port = nullptr;
    };
    std::unordered_map<std::uint64_t, connection> connections_;
    std::uint64_t last_ = 0;
};

}  // namespace mbusd
